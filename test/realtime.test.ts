import { afterEach, describe, expect, it } from "vitest";
import type { Session } from "../src/hook/exchange.ts";
import { decide, endWorlds, spent, type World, world } from "./support/a-guard.ts";

afterEach(endWorlds);

interface Closed {
  readonly code: number;
  readonly reason: string;
  readonly lastWords: string | null;
}

interface Opened {
  readonly session: Session;
  readonly closes: Closed[];
  /** The server says this, and everything that follows from it is done. */
  say(...events: object[]): Promise<void>;
  end(kind?: "abort" | "network"): Promise<void>;
}

const ADDRESS = { method: "GET", path: "/v1/realtime?model=gpt-realtime", body: null, headers: {} } as const;

async function handshake(one: World, path: string = ADDRESS.path) {
  const passage = await decide(one, { ...ADDRESS, path });
  if (passage.kind !== "go") throw new Error(`not let go: ${passage.kind}`);
  passage.run(() => {});
  return passage.tap;
}

async function open(one: World, path?: string): Promise<Opened> {
  const tap = await handshake(one, path);
  const closes: Closed[] = [];
  const session = tap.upgrade?.(
    {},
    { close: (code, reason, lastWords) => void closes.push({ code, reason, lastWords }) },
  );
  if (!session) throw new Error("nobody follows the session");
  return {
    session,
    closes,
    async say(...events) {
      for (const event of events) session.message("server", Buffer.from(JSON.stringify(event)));
      await one.guard.settled();
    },
    async end(kind) {
      session.end(kind === undefined ? null : { kind, code: "ECONNRESET" });
      await one.guard.settled();
    },
  };
}

const created = (id: string) => ({ type: "response.created", response: { id } });
const done = (id: string, usage: object | null = USED, status = "completed") => ({
  type: "response.done",
  response: { id, status, usage },
});

/** 100 tokens of text in at $4 per million, 50 out at $16. */
const USED = { input_tokens: 100, output_tokens: 50, total_tokens: 150 };
const COST = 0.0012;

const COUNTING = "tenant.daily > $100 -> deny\ntenant.calls.daily > 1000 -> deny\nagent.errors last 5m > 9 -> deny";
const cost = (one: World) => spent(one, "tenant.cost.daily");
const calls = (one: World) => spent(one, "tenant.calls.daily");

describe("a session", () => {
  it("holds for its next response, and gives that back when it ends in peace", async () => {
    const one = world(COUNTING);
    const { end } = await open(one);
    // 1,000 tokens in and 4,096 out.
    expect(await cost(one)).toEqual([0, 0.069536]);
    await end();
    expect([await cost(one), await calls(one)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(one.decided).toHaveLength(0);
  });

  it("shows a span for every response, from its beginning to its end", async () => {
    const one = world(COUNTING);
    const { say, end } = await open(one);
    one.time += 1_000;
    await say(created("r1"), done("r1"));
    one.time += 1_000;
    await say(done("r2", USED, "cancelled"));
    await end();
    expect(one.ended.map(({ bill, outcome }) => [bill.responseId, bill.finishReasons, outcome.kind])).toEqual([
      ["r1", ["completed"], "success"],
      ["r2", ["cancelled"], "success"],
    ]);
    expect(one.ended[0]?.bill).toMatchObject({ source: "local", model: "gpt-realtime", unpriced: false });
    expect(one.decided.map(({ call }) => call.operation)).toEqual(["realtime", "realtime"]);
    expect(await cost(one)).toEqual([2 * COST, 0]);
    expect(await calls(one)).toEqual([2, 0]);
  });

  it("expects of the next response what the last one used, and what it answered as its prompt", async () => {
    const one = world(COUNTING);
    const { say } = await open(one);
    await say(done("r1"));
    expect(await cost(one)).toEqual([COST, (150 * 4 + 50 * 16) / 1e6]);
    await say(done("r2", { input_tokens: 150, output_tokens: 10, total_tokens: 160 }));
    expect((await cost(one))[1]).toBeCloseTo((160 * 4 + 50 * 16) / 1e6, 9);
  });

  it("is charged in the window in which a response comes, however long it rested", async () => {
    const one = world("tenant.hourly > $100 -> deny");
    const { say } = await open(one);
    one.time += 3 * 3_600_000;
    await say(done("r1"));
    const [now] = await spent(one, "tenant.cost.hourly");
    expect(now).toBe(COST);
  });

  it("is judged again when a response begins on an old judgement: a pause of meanwhile ends it there", async () => {
    const one = world(COUNTING);
    const { say, closes } = await open(one);
    await one.store.close("|tenant=(none)", null);
    await say(created("r1"));
    expect(closes).toEqual([]);
    one.time += 31_000;
    await say({ type: "response.output_text.delta", response_id: "r1", delta: "and" });
    expect(closes).toMatchObject([{ code: 1008, reason: expect.stringMatching(/^budget-guard: .*paused/) }]);
  });

  it("whose response fails costs nothing, and is an error of its agent", async () => {
    const one = world(COUNTING);
    const { say } = await open(one);
    await say(created("r1"), done("r1", null, "failed"));
    expect((await cost(one))[0]).toBe(0);
    expect(await spent(one, "agent.errors.last 5m")).toEqual([1, 0]);
  });

  it("that claims an absurd usage is charged what was held for it", async () => {
    const one = world(COUNTING);
    const { say } = await open(one);
    await say(done("r1", { input_tokens: 1e300, output_tokens: 1, total_tokens: 1e300 }));
    expect((await cost(one))[0]).toBe(0.069536);
  });

  it("whose response says nothing of usage is charged what was held for it", async () => {
    const one = world(COUNTING);
    const { say } = await open(one);
    await say(created("r1"), done("r1", null));
    expect((await cost(one))[0]).toBe(0.069536);
    expect(one.ended[0]?.bill.source).toBe("estimate");
  });

  it("is charged once for a response that is told twice", async () => {
    const one = world(COUNTING);
    const { say, end } = await open(one);
    await say({ type: "session.created", session: { id: "s1", model: "gpt-realtime" } }, done("r1"), done("r1"));
    await end();
    expect(await cost(one)).toEqual([COST, 0]);
  });

  it("that breaks off is charged for every response under way", async () => {
    const one = world(COUNTING);
    const { say, end } = await open(one);
    await say(created("r1"), created("r2"));
    await say({ type: "response.output_text.delta", response_id: "r1", delta: "x".repeat(3_000) });
    await end("network");
    // The prompt of each is guessed at 1,000 tokens.
    const input = (1_000 * 4) / 1e6;
    const [charged, held] = await cost(one);
    expect(held).toBe(0);
    expect(charged).toBeGreaterThan(2 * input + (1_000 * 16) / 1e6 - 0.002);
    expect(charged).toBeLessThan(2 * input + (1_000 * 16) / 1e6 + 0.002);
    expect(await calls(one)).toEqual([2, 0]);
    expect(one.ended.map(({ outcome }) => outcome.kind)).toEqual(["network-error", "network-error"]);
  });

  it("that cannot be read any more is charged as one response, and is unmetered from there", async () => {
    const one = world(`${COUNTING}\ncall.unmetered -> deny "cannot be read"`);
    const { session, closes } = await open(one);
    session.unreadable();
    session.unreadable();
    await one.guard.settled();
    expect((await cost(one))[0]).toBe(0.069536);
    expect(closes).toMatchObject([{ code: 1008, reason: expect.stringContaining("cannot be read") }]);
    expect(one.said.filter((line) => line.includes("cannot be read:"))).toHaveLength(1);
    expect(one.ended).toHaveLength(1);
  });

  it("is closed once, with its figures, and charged for what came after all the same", async () => {
    const one = world("tenant.daily > $0.0703 -> deny");
    const { say, closes, end } = await open(one);
    await say(done("r1", { input_tokens: 100, output_tokens: 4_096, total_tokens: 4_196 }));
    expect(closes).toHaveLength(1);
    const [closed] = closes;
    expect(closed?.reason).toMatch(/^budget-guard: tenant \(none\) would reach \$0\.148 of \$0\.070 today/);
    expect(JSON.parse(closed?.lastWords ?? "")).toMatchObject({
      type: "error",
      error: { type: "budget_exceeded", budget_guard: { metric: "cost", limit: 0.0703, unit: "USD" } },
    });
    await say(done("r2"), done("r3"));
    await end();
    expect(closes).toHaveLength(1);
    expect((await cost(one))[0]).toBeCloseTo((100 * 4 + 4_096 * 16) / 1e6 + 2 * COST, 9);
    expect(one.decided.filter(({ refused }) => refused)).toHaveLength(1);
  });

  it("goes on where the ledger is away, and its bills are delivered later", async () => {
    const one = world(COUNTING);
    const { say, closes, end } = await open(one);
    one.down = true;
    await say(done("r1"), done("r2"));
    one.down = false;
    await end();
    expect(closes).toEqual([]);
    await one.store.flush(2_000);
    expect(await cost(one)).toEqual([2 * COST, 0]);
  });
});

describe("the model of a session", () => {
  it("is the one that the provider names, where the address has a name of the deployment's own", async () => {
    const one = world(`${COUNTING}\nwhen model == "gpt-realtime" -> deny "not this one"`);
    const { say, closes } = await open(one, "/openai/realtime?api-version=1&deployment=talk");
    await say({ type: "session.created", session: { id: "s", model: "gpt-realtime-2025-08-28" } });
    expect(closes).toMatchObject([{ reason: expect.stringContaining("not this one") }]);
  });

  it("is the one that Gemini's client sets up, before anything is asked of it", async () => {
    const one = world(`${COUNTING}\nwhen model == "gemini-live-2.5-flash-preview" -> deny "not this one"`);
    const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k";
    const { session, closes } = await open(one, path);
    session.message("client", Buffer.from('{"setup":{"model":"models/gemini-live-2.5-flash-preview"}}'));
    await one.guard.settled();
    expect(closes).toMatchObject([{ code: 1008, lastWords: null }]);
  });
});

describe("a session whose model nobody has named yet", () => {
  const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k";

  it("is judged by the price of a usual one, and not refused for having none", async () => {
    const one = world(`${COUNTING}\ncall.unpriced -> deny`);
    const { closes, session } = await open(one, path);
    expect(await cost(one)).toEqual([0, (1_000 * 0.5 + 4_096 * 2) / 1e6]);
    session.message("client", Buffer.from('{"setup":{"model":"models/gemini-nobody-knows"}}'));
    await one.guard.settled();
    expect(closes).toHaveLength(1);
  });

  it("is the one of each response, where responses are asked for over WebSocket", async () => {
    const one = world(`${COUNTING}\nwhen model == "gpt-5-pro" -> deny "not this one"`);
    const { say, closes } = await open(one, "/v1/responses");
    await say({ type: "response.created", response: { id: "r1", model: "gpt-5-2025-08-07" } });
    const usage = { input_tokens: 100, output_tokens: 10, total_tokens: 110 };
    await say({
      type: "response.completed",
      response: { id: "r1", status: "completed", model: "gpt-5-2025-08-07", usage },
    });
    expect((await cost(one))[0]).toBe((100 * 1.25 + 10 * 10) / 1e6);
    expect(closes).toEqual([]);
    await say({ type: "response.created", response: { id: "r2", model: "gpt-5-pro" } });
    expect(closes).toMatchObject([{ reason: expect.stringContaining("not this one") }]);
  });
});

describe("a handshake without a session", () => {
  it("that the provider refuses costs nothing, and has a span", async () => {
    const one = world(COUNTING);
    const tap = await handshake(one);
    tap.head(401, { "content-type": "application/json" });
    tap.end();
    await one.guard.settled();
    expect(await cost(one)).toEqual([0, 0]);
    expect(one.ended).toMatchObject([{ outcome: { kind: "provider-error", status: 401 } }]);
  });

  it("that is answered by something else gives its hold back", async () => {
    const one = world(COUNTING);
    const tap = await handshake(one);
    tap.head(200, {});
    tap.end();
    await one.guard.settled();
    expect([await cost(one), await calls(one)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("that never reached anyone gives its hold back", async () => {
    const one = world(COUNTING);
    const tap = await handshake(one);
    tap.fail({ kind: "network", code: "ECONNREFUSED" });
    await one.guard.settled();
    expect(await cost(one)).toEqual([0, 0]);
  });
});

describe("a WebSocket to a provider at an address that nobody knows", () => {
  const headers = { "sec-websocket-key": "k" };

  it("is counted as an unmetered call, and refused where none is let go", async () => {
    const one = world(COUNTING);
    const passage = await decide(one, { ...ADDRESS, path: "/v1/models/listen", headers });
    if (passage.kind !== "go") throw new Error("refused");
    passage.run(() => {});
    passage.tap.head(101, {});
    passage.tap.end();
    await one.guard.settled();
    expect(await calls(one)).toEqual([1, 0]);
    const strict = world("call.unmetered -> deny");
    expect((await decide(strict, { ...ADDRESS, path: "/v1/models/listen", headers })).kind).toBe("refuse");
    expect((await decide(strict, { ...ADDRESS, path: "/v1/models/listen" })).kind).toBe("go");
  });
});
