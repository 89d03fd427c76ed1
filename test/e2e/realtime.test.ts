import { afterEach, describe, expect, it } from "vitest";
import { app, eventually, meterOf, type Status, status } from "../support/asking.ts";
import { type Finished, type Project, type ProjectWishes, project } from "../support/run-app.ts";
import { type Answer, COST, type RealtimeServer, realtimeServer, say, whole } from "./realtime-server.ts";

interface Came {
  readonly seen: readonly string[];
  readonly errors: readonly { readonly code: string; readonly message: string; readonly budget_guard: object }[];
  readonly code: number;
  readonly reason: string;
}

let server: RealtimeServer;
let at: Project;
afterEach(async () => {
  await server.close();
  at.remove();
});

/** The built-in client came with Node 22. */
const clients = ["ws", ...("WebSocket" in globalThis ? ["built-in"] : [])];

async function open(
  policy: string,
  wishes: { readonly answer?: Answer; readonly options?: Parameters<typeof realtimeServer>[1] } & ProjectWishes = {},
): Promise<void> {
  const { answer = whole, options = {}, env, ...rest } = wishes;
  server = await realtimeServer(answer, options);
  at = project({
    policy,
    files: { "app.mjs": app("realtime") },
    env: { BUDGET_GUARD_HOSTS: `${server.host}=openai`, BUDGET_GUARD_TENANT: "acme", ...env },
    ...rest,
  });
}

const PATH = "/v1/realtime?model=gpt-realtime";

function start(sessions: readonly object[]) {
  const plan = { sessions: sessions.map((one) => ({ url: `${server.url}${PATH}`, client: "ws", ...one })) };
  return at.start({ args: [JSON.stringify(plan)] });
}

async function ran(...sessions: object[]): Promise<{ readonly came: readonly Came[]; readonly end: Finished }> {
  const end = await start(sessions).finished;
  if (end.code !== 0) throw new Error(`ended with ${end.code}:\n${end.stdout}\n${end.stderr}`);
  return { came: end.json<Came[]>(), end };
}

/** Spent, held and counted, once nothing is on its way any more. */
async function ledger(tenant = "acme") {
  const found: Status = await status(at);
  const cost = meterOf(found, "tenant.cost.daily", { tenant });
  return { spent: cost.spent, held: cost.held, calls: meterOf(found, "tenant.calls.daily", { tenant }).spent };
}

const COUNTING = "tenant.daily > $100 -> deny\ntenant.calls.daily > 1000 -> deny\n";

describe.each(clients)("a session of the %s client", (client) => {
  it("is metered as it runs: every response is a call at its own price", async () => {
    await open(COUNTING);
    const { came } = await ran({ client, responses: 3 });
    expect(came[0]).toMatchObject({ code: 1000, errors: [] });
    expect(came[0]?.seen.filter((type) => type === "response.done")).toHaveLength(3);
    expect(await ledger()).toEqual({ spent: Number((3 * COST).toFixed(9)), held: 0, calls: 3 });
  });

  it("is metered where its messages are compressed", async () => {
    await open(COUNTING, { options: { perMessageDeflate: { threshold: 0 } } });
    await ran({ client, responses: 2 });
    expect(await ledger()).toEqual({ spent: Number((2 * COST).toFixed(9)), held: 0, calls: 2 });
  });

  it("that is refused fails in its handshake, and nobody hears of it", async () => {
    await open("tenant.daily > $0.001 -> deny\n");
    const { came, end } = await ran({ client });
    expect(came[0]?.seen[0]).toMatch(client === "ws" ? /^error .*402/ : /^error/);
    expect(came[0]).toMatchObject({ code: 1006 });
    expect(server.opened).toHaveLength(0);
    expect(end.stderr).toMatch(/refused a call to gpt-realtime: tenant "acme" would reach \$/);
  });

  it("is closed when the budget is gone, with the rule to read; another tenant's goes on", async () => {
    await open(`${COUNTING}tenant.hourly > $0.08 -> deny\n`);
    const { came } = await ran({ client, responses: 4, tenant: "globex" }, { client, responses: 200 });
    expect(came[0]).toMatchObject({ code: 1000, errors: [] });
    const [, closed] = came;
    expect(closed).toMatchObject({ code: 1008 });
    expect(closed?.reason).toMatch(/^budget-guard: tenant "acme" would reach \$0\.08.* of \$0\.0800 this hour/);
    expect(Buffer.byteLength(closed?.reason ?? "")).toBeLessThanOrEqual(123);
    expect(closed?.errors[0]).toMatchObject({
      code: "budget_exceeded",
      budget_guard: { scope: { tenant: "acme" }, limit: 0.08 },
    });
    expect(closed?.errors[0]?.message).toMatch(/Resets (on .* )?at \d\d:00 UTC/);
    const { spent, held } = await ledger();
    expect(spent).toBeGreaterThan(0.07);
    expect(spent).toBeLessThanOrEqual(0.08);
    expect(held).toBe(0);
    expect((await ledger("globex")).calls).toBe(4);
    // The server hears it as a close like any other.
    expect(server.closes.find(({ code }) => code === 1008)).toBeDefined();
  });
});

const stuck: Answer = (socket, id) => {
  say(socket, { type: "response.created", response: { id, status: "in_progress", usage: null } });
  for (let i = 0; i < 10; i++) {
    say(socket, { type: "response.output_audio.delta", response_id: id, delta: "A".repeat(32_000) });
  }
  say(socket, { type: "response.output_audio_transcript.delta", response_id: id, delta: "now" });
};

describe("a session that breaks off", () => {
  it("is charged for what came of the response under way", async () => {
    await open(COUNTING, { answer: stuck });
    const { came } = await ran({ dropAt: "response.output_audio_transcript.delta" });
    expect(came[0]).toMatchObject({ code: 1006 });
    const { spent, held, calls } = await ledger();
    // 240,000 bytes of sound are 100 tokens at $64 per million, and the prompt is guessed.
    expect(spent).toBeGreaterThan((100 * 64) / 1e6);
    expect(spent).toBeLessThan((130 * 64) / 1e6 + 0.01);
    expect([held, calls]).toEqual([0, 1]);
  });

  it("with its process loses no more than is held for the next response", async () => {
    const once: Answer = (socket, id) =>
      server.heard.length === 1 ? whole(socket, id) : say(socket, { type: "rate_limits.updated", rate_limits: [] });
    await open(COUNTING, { answer: once, config: { store: { hold: "1s" } } });
    const running = start([{ responses: 2 }]);
    await running.printed("event rate_limits.updated");
    running.process.kill("SIGKILL");
    await running.finished;
    const found = await eventually(ledger, ({ held }) => held === 0);
    // The response, and of the next one what was surely spent if it had begun: 130 tokens of sound and text, 40 of them cached.
    expect(found).toMatchObject({ spent: expect.closeTo(COST + EXPECTED_INPUT, 6), calls: 2 });
  });
});

/** The prompt of a second response: that of the first, and what was answered. */
const EXPECTED_INPUT = (110 * 32 + 20 * 4 + 40 * 0.4) / 1e6;

describe("a session in other words", () => {
  it("of Gemini Live is charged turn by turn, by the model that the client sets up", async () => {
    await open("tenant.daily > $100 -> deny\ntenant.calls.daily > 1000 -> deny\n", {
      env: { BUDGET_GUARD_TENANT: "acme" },
    });
    const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k";
    const { came } = await ran({
      url: `${server.url}${path}`,
      responses: 2,
      first: { setup: { model: "models/gemini-live-2.5-flash-preview" } },
      message: { clientContent: { turns: [], turnComplete: true } },
    });
    expect(came[0]?.code).toBe(1000);
    // 100 tokens of text at $0.50 per million, 200 of sound at $3, 80 of sound out at $12.
    const turn = (100 * 0.5 + 200 * 3 + 80 * 12) / 1e6;
    expect(await ledger()).toEqual({ spent: Number((2 * turn).toFixed(9)), held: 0, calls: 2 });
  });

  it("is charged for what it only writes down, at the price of the model that writes", async () => {
    const session = {
      type: "transcription",
      model: undefined,
      audio: { input: { transcription: { model: "gpt-4o-transcribe" } } },
    };
    const written: Answer = (socket, id) => {
      say(socket, {
        type: "conversation.item.input_audio_transcription.completed",
        item_id: id,
        content_index: 0,
        transcript: "words",
        usage: {
          type: "tokens",
          input_tokens: 110,
          output_tokens: 20,
          total_tokens: 130,
          input_token_details: { audio_tokens: 100, text_tokens: 10 },
        },
      });
      say(socket, { type: "response.done", response: { id: `r-${id}`, status: "failed", usage: null } });
    };
    await open(COUNTING, { answer: written, options: { session } });
    await ran({ responses: 2, url: `${server.url}/v1/realtime?intent=transcription&model=gpt-realtime` });
    const each = (100 * 6 + 10 * 2.5 + 20 * 10) / 1e6;
    expect(await ledger()).toMatchObject({ spent: Number((2 * each).toFixed(9)), held: 0 });
  });

  it("is unmetered where nobody knows it, and refused where that is not let go", async () => {
    await open("call.unmetered -> deny\n", {});
    const path = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic?key=k";
    const { came } = await ran({ url: `${server.url}${path}` });
    expect(came[0]?.seen[0]).toMatch(/402/);
    expect(server.opened).toHaveLength(0);
  });
});

describe("the same response", () => {
  it("that two connections hear of is charged once", async () => {
    const same: Answer = (socket) => whole(socket, "resp_same");
    await open(COUNTING, { answer: same, options: { session: { id: "sess_same" } } });
    await ran({ responses: 1 }, { responses: 1 });
    expect(await ledger()).toEqual({ spent: Number(COST.toFixed(9)), held: 0, calls: 1 });
  });
});

describe("a session while the policy says something else", () => {
  it("goes on in shadow mode, and is told what would have been", async () => {
    await open(`${COUNTING}tenant.hourly > $0.005 -> deny\n`, { env: { BUDGET_GUARD_MODE: "shadow" } });
    const { came } = await ran({ responses: 3 });
    expect(came[0]).toMatchObject({ code: 1000, errors: [] });
    expect((await ledger()).calls).toBe(3);
  });

  it("is closed after its response where somebody paused its tenant meanwhile", async () => {
    await open(COUNTING);
    const { came } = await ran({ responses: 1_000, pauseAfter: 3 });
    expect(came[0]?.seen.filter((type) => type === "response.done").length).toBeLessThan(10);
    expect(came[0]).toMatchObject({
      code: 1008,
      reason: expect.stringMatching(/^budget-guard: .*paused/),
    });
  });
});
