import type http2 from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StreamServer, streamServer } from "../hook/streams.ts";
import { eventually, fixedPrice, meterOf, status } from "../support/asking.ts";
import { type Project, project } from "../support/run-app.ts";

/** Speaks HTTP/2 as its arguments say: how many calls one after the other on one session, and with what. */
const APP = `
import http2 from "node:http2";
const [origin, plan] = [process.argv[2], JSON.parse(process.argv[3])];
const session = http2.connect(origin);
const ask = async ({ headers, content = "hi" + Math.random(), abortMs, stream: streamed }) => {
  const body = JSON.stringify({ model: "fixed-model", max_tokens: 100, stream: streamed, messages: [{ role: "user", content }] });
  const stream = session.request({
    ":method": "POST", ":path": "/v1/chat/completions", "content-type": "application/json",
    "content-length": Buffer.byteLength(body), ...headers,
  });
  let status = null, text = "", error = null;
  stream.on("response", (head) => { status = head[":status"]; });
  stream.on("data", (piece) => {
    text += piece;
    if (abortMs === 0) stream.close(http2.constants.NGHTTP2_CANCEL);
  });
  stream.on("error", (thrown) => { error = thrown.message; });
  stream.end(body);
  await new Promise((resolve) => stream.on("close", resolve));
  return { status, text, error };
};
const results = [];
if (plan.parallel) results.push(...(await Promise.all(plan.calls.map(ask))));
else for (const call of plan.calls) results.push(await ask(call));
session.close();
console.log(JSON.stringify(results));
`;

interface Result {
  readonly status: number | null;
  readonly text: string;
  readonly error: string | null;
}

const USAGE = { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 };
const answer = JSON.stringify({
  id: "c",
  object: "chat.completion",
  model: "fixed-model",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hello" } }],
  usage: USAGE,
});
const CALL = 0.0125;

let respond: (stream: http2.ServerHttp2Stream) => void;
let server: StreamServer;
let at: Project;

beforeEach(async () => {
  respond = (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(answer);
  };
  server = await streamServer({ respond: (stream) => respond(stream) });
  at = project({
    config: { prices: fixedPrice },
    policy: "tenant.cost.daily > $0.03 -> deny\n",
    files: { "app.mjs": APP },
    env: { BUDGET_GUARD_HOSTS: `localhost:${server.port}=openai`, BUDGET_GUARD_TENANT: "acme" },
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  at.remove();
});

const run = async (plan: object): Promise<readonly Result[]> => {
  const end = await at.run({ args: [server.url, JSON.stringify(plan)] });
  expect([end.code, end.stderr]).toEqual([0, ""]);
  return end.json<Result[]>();
};

describe("calls over HTTP/2", () => {
  it("are charged, and refused when the budget is spent, on one session", async () => {
    const results = await run({ calls: [{}, {}, {}, {}] });
    expect(results.map((result) => [result.status, result.error])).toEqual([
      [200, null],
      [200, null],
      [402, null],
      [402, null],
    ]);
    expect(results[0]?.text).toBe(answer);
    expect(JSON.parse(results[2]?.text ?? "")).toMatchObject({ error: { type: "budget_exceeded" } });
    expect(server.hits).toHaveLength(2);
    expect(new Set(server.hits.map(({ session }) => session)).size).toBe(1);
    const [meter] = (await status(at)).meters;
    expect([meter?.spent, meter?.held]).toEqual([2 * CALL, 0]);
  });

  it("at the same time do not go over together", async () => {
    const results = await run({ parallel: true, calls: Array.from({ length: 12 }, () => ({})) });
    expect(results.map((result) => result.status).sort()).toEqual([200, 200, ...Array(10).fill(402)]);
    expect(server.hits).toHaveLength(2);
  });

  it("say who they are by headers that do not leave", async () => {
    const named = (tenant: string): object => ({ headers: { "X-Budget-Tenant": tenant } });
    const results = await run({ calls: [named("one"), named("one"), named("one"), named("two")] });
    expect(results.map((result) => result.status)).toEqual([200, 200, 402, 200]);
    for (const { raw } of server.hits) expect(raw.filter((name) => /budget/i.test(name))).toEqual([]);
    const found = await status(at);
    const meter = found.meters[0]?.meter ?? "";
    expect(meterOf(found, meter, { tenant: "two" }).spent).toBe(CALL);
  });

  it("are made smaller where the policy says so, their length with them", async () => {
    at.write("policies/test.budget", "call.output_tokens > 7 -> cap 7 tokens\n");
    const [result] = await run({ calls: [{}] });
    expect(result?.status).toBe(200);
    const [hit] = server.hits;
    const sent = JSON.parse(String(hit?.body));
    expect([sent.max_tokens, sent.model]).toEqual([7, "fixed-model"]);
    expect(hit?.headers["content-length"]).toBe(String(hit?.body.length));
  });

  it("that are broken off inside the answer are charged for what came, and hold nothing", async () => {
    respond = (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
      const chunk = { id: "c", object: "chat.completion.chunk", model: "fixed-model" };
      const delta = { ...chunk, choices: [{ index: 0, delta: { content: "one two three" } }] };
      stream.write(`data: ${JSON.stringify(delta)}\n\n`);
    };
    const [result] = await run({ calls: [{ stream: true, abortMs: 0 }] });
    expect([result?.status, result?.error]).toEqual([200, null]);
    const found = await eventually(
      () => status(at),
      ({ meters }) => meters[0]?.held === 0,
    );
    expect(found.meters[0]?.spent).toBeGreaterThan(0);
    expect(found.meters[0]?.spent).toBeLessThan(CALL);
  });

  it("that the server refuses to process cost nothing", async () => {
    respond = (stream) => stream.close(7);
    const [result] = await run({ calls: [{}] });
    expect(result?.error).toContain("REFUSED_STREAM");
    const found = await eventually(
      () => status(at),
      ({ meters }) => (meters[0]?.held ?? 0) === 0,
    );
    expect(found.meters[0]?.spent ?? 0).toBe(0);
  });
});
