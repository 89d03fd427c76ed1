import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadPrices, type Prices } from "../src/call/price.ts";
import { reestimate } from "../src/call/read.ts";
import { recogniser } from "../src/call/recognise.ts";
import { loadPlan } from "../src/load-plan.ts";
import { indexRules } from "../src/policy/match.ts";
import { type Shaped, shapeCall } from "../src/shaping.ts";
import { type FallbackStore, withFallback } from "../src/store/fallback.ts";
import { openMemory } from "../src/store/memory.ts";
import type { Store } from "../src/store/store.ts";
import { createLog } from "../src/telemetry/log.ts";
import { read } from "./call/builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({ "my-model": { input: 1, output: 10 } });
});

const open: FallbackStore[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.shut()));
});

const recognise = recogniser({ hosts: new Map() });
const clock = (): number => Date.parse("2026-11-22T12:00:00Z");

interface Wishes {
  readonly body?: object;
  readonly path?: string;
  readonly enforce?: boolean;
  readonly broken?: Partial<Store>;
  readonly unseen?: boolean;
}

interface Result extends Shaped {
  readonly json: Record<string, unknown> | null;
  readonly reads: number;
  readonly said: readonly string[];
}

async function shaped(policy: string, wishes: Wishes = {}): Promise<Result> {
  const { path = "/v1/chat/completions", enforce = true } = wishes;
  const body = Buffer.from(
    JSON.stringify({ model: "my-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }], ...wishes.body }),
  );
  const recognised = recognise("api.openai.com", 443, "POST", path);
  if (recognised === null) throw new Error("no provider");
  const plan = loadPlan([{ file: "policies/test.budget", text: policy }], () => {});
  let reads = 0;
  const memory = openMemory(clock);
  const counting: Store = {
    ...memory,
    read: (asks) => {
      reads += 1;
      return memory.read(asks);
    },
    ...wishes.broken,
  };
  const store = withFallback(async () => counting, { clock, name: "test" });
  open.push(store);
  const said: string[] = [];
  const log = createLog("debug", (line) => said.push(line));
  const one = read(prices, body.toString(), { recognised, path });
  const rules = indexRules(plan)(one.call);
  const result = await shapeCall(
    { plan, store, rules, enforce, log, clock },
    one,
    recognised,
    wishes.unseen ? null : body,
    (tokens) => reestimate(one, recognised, prices, { inputMillis: null, outputTokens: null }, tokens),
  );
  return { ...result, json: result.body === null ? null : JSON.parse(result.body.toString()), reads, said };
}

describe("a cap", () => {
  it("makes the request smaller, and its estimate with it", async () => {
    const { json, read, cap } = await shaped("call.output_tokens > 50 -> cap 50 tokens");
    expect(json).toMatchObject({ max_tokens: 50, model: "my-model" });
    expect(read.call).toMatchObject({ maxTokens: 50, outputTokens: 50, cost: { output: 500_000 } });
    expect(cap).toMatchObject({ tokens: 50, fired: [{ action: { kind: "cap" } }] });
  });

  it("that is the smallest of several wins, and each is reported", async () => {
    const { json, cap } = await shaped(
      "call.output_tokens > 60 -> cap 60 tokens\ncall.output_tokens > 30 -> cap 30 tokens",
    );
    expect(json?.max_tokens).toBe(30);
    expect(cap?.fired).toHaveLength(2);
  });

  it("is shared by the answers that a request asks for", async () => {
    const { json, read } = await shaped("call.output_tokens > 80 -> cap 80 tokens", { body: { n: 4 } });
    expect(json?.max_tokens).toBe(20);
    expect(read.call.outputTokens).toBe(80);
  });

  it("leaves the bytes of a call that is small enough", async () => {
    const small = await shaped("tenant.calls.daily >= 1 -> cap 200 tokens");
    expect([small.body, small.cap]).toEqual([null, null]);
  });

  it("by a meter counts this call in, and asks the store once; by the call alone it asks nobody", async () => {
    expect(await shaped("tenant.calls.daily >= 1 -> cap 50 tokens")).toMatchObject({ reads: 1, cap: { tokens: 50 } });
    expect(await shaped("tenant.daily > $0.5 -> cap 50 tokens")).toMatchObject({ reads: 1, cap: null });
    expect(await shaped("call.output_tokens > 50 -> cap 50 tokens\ntenant.daily > $0 -> deny")).toMatchObject({
      reads: 0,
    });
  });

  it("in shadow mode, or of a shadow rule, changes no byte", async () => {
    const mode = await shaped("call.output_tokens > 50 -> cap 50 tokens", { enforce: false });
    expect([mode.body, mode.cap?.tokens, mode.read.call.maxTokens]).toEqual([null, 50, 100]);
    const rule = await shaped("shadow call.output_tokens > 50 -> cap 50 tokens");
    expect([rule.body, rule.cap]).toEqual([null, null]);
  });

  it("that cannot be applied is said, once a reason, and the call is judged as it is", async () => {
    const { body, cap, said } = await shaped("call.output_tokens > 4 -> cap 4 tokens", {
      path: "/v1/responses",
      body: { input: "hi", max_output_tokens: 100 },
    });
    expect([body, cap]).toEqual([null, null]);
    expect(said.join("")).toContain("could not be capped at 4 tokens");
  });

  it("is none for a body that was not seen, or a call that cannot be metered", async () => {
    const policy = "call.output_tokens >= 0 -> cap 50 tokens";
    expect(await shaped(policy, { unseen: true })).toMatchObject({ body: null, cap: null });
    expect(await shaped(policy, { path: "/v1/images/generations" })).toMatchObject({ body: null, cap: null });
  });

  it("is decided by what this process knows where the store fails, in whatever way", async () => {
    const broken = { read: () => Promise.reject(new SyntaxError("odd")) };
    expect(await shaped("tenant.calls.daily >= 1 -> cap 50 tokens", { broken })).toMatchObject({ cap: { tokens: 50 } });
  });
});
