import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import { loadPrices } from "../src/call/price.ts";
import { recogniser } from "../src/call/recognise.ts";
import { type Config, readConfig } from "../src/config.ts";
import { createGuard, type Guard } from "../src/guard.ts";
import { createHeartbeat } from "../src/heartbeat.ts";
import type { Departure, Passage } from "../src/hook/exchange.ts";
import { teacher } from "../src/learned.ts";
import { loadPlan } from "../src/load-plan.ts";
import { indexRules } from "../src/policy/match.ts";
import { readStatus, type Status } from "../src/status.ts";
import { StoreDown } from "../src/store/down.ts";
import { type FallbackStore, withFallback } from "../src/store/fallback.ts";
import { openMemory } from "../src/store/memory.ts";
import type { Store } from "../src/store/store.ts";
import { createLog } from "../src/telemetry/log.ts";
import type { Decided, Ended } from "../src/telemetry/telemetry.ts";

/** One guard with a memory store and a clock that stands still, and what it said and showed. */
interface World {
  readonly guard: Guard;
  readonly store: FallbackStore;
  readonly said: string[];
  readonly decided: Decided[];
  readonly ended: Ended[];
  readonly status: () => Promise<Status>;
  time: number;
  down: boolean;
}

const NOON = Date.parse("2026-11-22T12:00:00Z");
const open: World[] = [];

function world(policy: string, options: Partial<Config> = {}): World {
  const said: string[] = [];
  const decided: Decided[] = [];
  const ended: Ended[] = [];
  const made = { time: NOON, down: false };
  const clock = (): number => made.time;
  const log = createLog("debug", (line) => said.push(line));
  const plan = loadPlan(policy === "" ? [] : [{ file: "policies/test.budget", text: policy }], log.warn);
  const memory = openMemory(clock);
  const gone = async (): Promise<never> => {
    throw new StoreDown("the ledger (test) is away");
  };
  const away = ["judge", "extend", "settle", "close", "open", "gates", "read", "list", "recall"];
  const flaky = new Proxy(memory, {
    get: (target, name: keyof Store) => (made.down && away.includes(name) ? gone : target[name]),
  });
  const store = withFallback(async () => flaky, { clock, name: "test", retryMs: { first: 5, most: 5 } });
  const config: Config = { ...readConfig({}, import.meta.dirname), ...options };
  const prices = loadPrices({ "test-model": { input: 1, output: 10 } }, clock);
  const guard = createGuard({
    config,
    plan,
    rulesFor: indexRules(plan),
    recognise: recogniser({ hosts: new Map([["llm.test", "openai"]]) }),
    prices: () => prices,
    learned: teacher(store, clock),
    store,
    heartbeat: createHeartbeat(store, config.storeOptions.holdMs),
    telemetry: {
      arrive: () => ({ at: made.time, traceId: null, baggage: {}, context: null }),
      begin: (_, one) => {
        decided.push(one);
        return { run: (fn) => fn(), end: (end) => ended.push(end) };
      },
      flush: async () => {},
    },
    incoming: { current: () => null, served: false },
    processId: "process-1",
    log,
    clock,
  });
  const status = (): Promise<Status> => readStatus(memory, "test", plan, config.mode);
  const one = Object.assign(made, { guard, store, said, decided, ended, status });
  open.push(one);
  return one;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ store }) => store.shut()));
});

const chat = (fields: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ model: "test-model", max_tokens: 100, messages: [{ role: "user", content: "hello" }], ...fields }),
  );

const departure = (fields: Partial<Departure> = {}): Departure => ({
  transport: "undici",
  protocol: "https:",
  hostname: "llm.test",
  port: 443,
  method: "POST",
  path: "/v1/chat/completions",
  headers: {},
  body: chat(),
  ...fields,
});

const decide = (one: World, fields: Partial<Departure> = {}, signal = new AbortController().signal): Promise<Passage> =>
  one.guard.decide(departure(fields), signal);

/** Answers an allowed call as the provider would. */
async function answer(one: World, passage: Passage, usage: object = { prompt_tokens: 10, completion_tokens: 100 }) {
  if (passage.kind !== "go") throw new Error(`not let go: ${passage.kind}`);
  passage.run(() => {});
  passage.tap.head(200, { "content-type": "application/json" });
  passage.tap.chunk(Buffer.from(JSON.stringify({ id: "r-1", model: "test-model", usage })));
  passage.tap.end();
  await one.guard.settled();
}

const spent = async (one: World, meter: string): Promise<readonly [spent: number, held: number]> => {
  const found = (await one.status()).meters.find((row) => row.meter === meter);
  return [found?.spent ?? 0, found?.held ?? 0];
};

const message = (passage: Passage): string =>
  passage.kind === "refuse"
    ? (JSON.parse(passage.answer.body.toString()) as { message: string }).message
    : passage.kind === "throw"
      ? passage.error.message
      : "let go";

describe("an allowed call", () => {
  it("is held while it is out and charged when it ends", async () => {
    const one = world("tenant.daily > $1 -> deny");
    const passage = await decide(one);
    const [before, held] = await spent(one, "tenant.cost.daily");
    expect([before, held > 0.001]).toEqual([0, true]);
    await answer(one, passage);
    expect(await spent(one, "tenant.cost.daily")).toEqual([0.00101, 0]);
    expect(one.ended[0]).toMatchObject({ outcome: { kind: "success", status: 200 }, wasted: false });
  });

  it("keeps its bytes, and loses only the headers that are ours", async () => {
    const one = world("tenant.daily > $1 -> deny");
    const passage = await decide(one, { headers: { "x-budget-tenant": "acme", authorization: "Bearer k" } });
    expect(passage).toMatchObject({ kind: "go", body: null, removeHeaders: ["x-budget-tenant"] });
    expect(one.decided[0]?.call.subject.tenant).toBe("acme");
  });

  it("belongs to whom withBudget says before what headers say", async () => {
    const one = world("tenant.daily > $1 -> deny");
    await withBudget({ tenant: "inner" }, () => decide(one, { headers: { "x-budget-tenant": "header" } }));
    expect(one.decided[0]?.call.subject.tenant).toBe("inner");
  });

  it("gives its hold back when it was given up before it left, and charges nothing", async () => {
    const one = world("tenant.daily > $1 -> deny");
    const abort = new AbortController();
    const passage = await decide(one, {}, abort.signal);
    abort.abort();
    if (passage.kind === "go") passage.tap.fail({ kind: "abort", code: "ABORT_ERR" });
    await one.guard.settled();
    expect(await spent(one, "tenant.cost.daily")).toEqual([0, 0]);
  });

  it("gives its hold back when the caller hung up while the store was asked", async () => {
    const one = world("tenant.daily > $1 -> deny");
    const abort = new AbortController();
    const deciding = decide(one, {}, abort.signal);
    abort.abort();
    expect((await deciding).kind).toBe("throw");
    expect(await spent(one, "tenant.cost.daily")).toEqual([0, 0]);
  });

  it("counts as wasted where the provider failed, and as an error of its agent", async () => {
    const one = world("agent.errors last 5m > 3 -> deny");
    const passage = await decide(one);
    if (passage.kind !== "go") throw new Error("refused");
    passage.run(() => {});
    passage.tap.head(500, {});
    passage.tap.end();
    await one.guard.settled();
    expect(one.ended[0]?.wasted).toBe(true);
    expect(await spent(one, "agent.errors.last 5m")).toEqual([1, 0]);
  });
});

describe("a refused call", () => {
  it("gets the envelope with the figures, is shown, and holds nothing", async () => {
    const one = world("tenant.daily > $0.001 -> deny");
    const passage = await decide(one, { headers: { "x-budget-tenant": "acme" } });
    if (passage.kind !== "refuse") throw new Error("let go");
    expect(passage.answer).toMatchObject({
      status: 402,
      headers: { "x-should-retry": "false", "x-budget-guard": "deny", "content-type": "application/json" },
    });
    expect(passage.answer.headers).not.toHaveProperty("retry-after");
    const body = JSON.parse(passage.answer.body.toString());
    expect(body).toMatchObject({
      type: "error",
      error: {
        type: "budget_exceeded",
        code: "budget_exceeded",
        param: null,
        budget_guard: { scope: { tenant: "acme" }, metric: "cost", spent: 0, limit: 0.001, unit: "USD" },
      },
    });
    expect(body.message).toMatch(/^budget-guard refused this call: tenant "acme" would reach \$/);
    expect(body.error.message).toBe(body.message);
    expect(one.decided[0]).toMatchObject({ refused: true, verdict: { kind: "deny" } });
    expect(await spent(one, "tenant.cost.daily")).toEqual([0, 0]);
  });

  it("is thrown where that was asked for", async () => {
    const one = world("tenant.daily > $0 -> deny", { refusal: "throw" });
    const passage = await decide(one);
    expect(passage).toMatchObject({ kind: "throw", error: { name: "BudgetExceededError", code: "BUDGET_EXCEEDED" } });
  });

  it("is let go and reported in shadow mode", async () => {
    const one = world("tenant.daily > $0 -> pause", { mode: "shadow" });
    expect((await decide(one)).kind).toBe("go");
    expect((await decide(one)).kind).toBe("go");
    expect(one.decided[1]).toMatchObject({ refused: false, mode: "shadow", verdict: { kind: "pause" } });
    expect((await one.status()).closed).toEqual([]);
  });
});

describe("a capped call", () => {
  it("leaves smaller and is judged as what it has become", async () => {
    const one = world("call.output_tokens > 50 -> cap 50 tokens\ncall.output_tokens > 50 -> deny");
    const passage = await decide(one);
    expect(passage.kind === "go" && JSON.parse(String(passage.body)).max_tokens).toBe(50);
    expect(one.decided[0]).toMatchObject({ cap: { tokens: 50 }, call: { maxTokens: 50, outputTokens: 50 } });
  });

  it("by a meter is capped once the meter is over its line, and not before", async () => {
    const one = world("tenant.calls.daily > 1 -> cap 50 tokens");
    const first = await decide(one);
    expect(first).toMatchObject({ kind: "go", body: null });
    const second = await decide(one);
    expect(second.kind === "go" && JSON.parse(String(second.body)).max_tokens).toBe(50);
  });

  it("keeps its bytes in shadow mode, and the cap is reported", async () => {
    const one = world("call.output_tokens > 50 -> cap 50 tokens", { mode: "shadow" });
    expect(await decide(one)).toMatchObject({ kind: "go", body: null });
    expect(one.decided[0]).toMatchObject({ cap: { tokens: 50 }, call: { maxTokens: 100 } });
  });
});

describe("what is no call", () => {
  it("passes uncounted where it cannot spend", async () => {
    const one = world("tenant.calls.daily > 0 -> deny");
    const passage = await decide(one, {
      method: "GET",
      path: "/v1/models",
      body: null,
      headers: { "x-budget-run": "r" },
    });
    expect(passage).toMatchObject({ kind: "go", removeHeaders: ["x-budget-run"] });
    expect(one.decided).toEqual([]);
  });

  it("is not asked about at all on a host that is no provider", () => {
    const one = world("");
    expect(one.guard.concerns("example.com", 443, "GET", "/")).toBeNull();
    expect(one.guard.concerns("llm.test", 443, "POST", "/v1/chat/completions")).toEqual({ body: true });
  });
});

describe("a call while the store is away", () => {
  let one: World;
  const away = (policy: string, options: Partial<Config> = {}): void => {
    one = world(policy, options);
    one.down = true;
  };
  beforeEach(() => away(""));

  it("is judged in this process by its share of the limits, and says which limit that is", async () => {
    away("tenant.daily > $0.04 -> deny");
    expect((await decide(one)).kind).toBe("go");
    const second = await decide(one);
    expect(message(second)).toMatch(/would reach \$0\.0020\d of \$0\.0020* today/);
    expect(message(second)).toContain("until it is back one process may spend 5% of a limit");
    expect(one.decided[1]).toMatchObject({ refused: true, store: { degraded: true } });
  });

  it("is settled to the store when it is back: nothing spent meanwhile is lost", async () => {
    away("tenant.daily > $1 -> deny");
    await answer(one, await decide(one));
    expect(await spent(one, "tenant.cost.daily")).toEqual([0, 0]);
    one.down = false;
    expect(await one.store.flush(2_000)).toBe(true);
    expect(await spent(one, "tenant.cost.daily")).toEqual([0.00101, 0]);
  });

  it("is refused where the policy says deny, for those it names", async () => {
    away('tenant.daily > $1 -> deny\nstore.down when feature == "batch" -> deny "Budgets cannot be checked."');
    expect(message(await decide(one, { headers: { "x-budget-feature": "batch" } }))).toContain(
      "Budgets cannot be checked.",
    );
    expect((await decide(one)).kind).toBe("go");
  });

  it("is let go where the policy says allow, and still counted later", async () => {
    away("tenant.daily > $0.000001 -> deny\nstore.down -> allow");
    await answer(one, await decide(one));
    one.down = false;
    expect(await one.store.flush(2_000)).toBe(true);
    expect(await spent(one, "tenant.cost.daily")).toEqual([0.00101, 0]);
  });

  it("is refused where the deployment is strict and the policy says nothing", async () => {
    const storeOptions = { deadlineMs: 250, localMillionths: 50_000, strict: true, holdMs: 60_000 };
    away("tenant.daily > $1 -> deny", { storeOptions });
    expect(message(await decide(one))).toContain("the ledger (test) is away");
    away("tenant.daily > $1 -> deny\nstore.down -> local", { storeOptions });
    expect((await decide(one)).kind).toBe("go");
  });
});

describe("what people are told, once each", () => {
  it("is a warning of a rule, an unknown price, and that there is no policy", async () => {
    const warned = world('tenant.calls.daily > 0 -> warn "Busy: {tenant}."');
    await decide(warned);
    await decide(warned);
    expect(warned.said.filter((line) => line.includes("Busy"))).toHaveLength(1);
    const bare = world("");
    await decide(bare, { body: chat({ model: "gpt-99" }) });
    await decide(bare, { body: chat({ model: "gpt-99" }) });
    expect(bare.said.filter((line) => line.includes("no policy was found"))).toHaveLength(1);
    expect(bare.said.filter((line) => line.includes("no price is known for gpt-99"))).toHaveLength(1);
    expect((await bare.status()).meters.map(({ meter }) => meter)).toContain("tenant.cost.daily");
  });
});

describe("what calls teach", () => {
  it("sizes the hold of a call that names no limit by what such calls used, after twenty of them", async () => {
    const one = world("tenant.daily > $100 -> deny");
    const body = chat({ max_tokens: undefined });
    for (let i = 0; i < 20; i++) await answer(one, await decide(one, { body }));
    expect(one.decided[19]?.call.outputTokens).toBe(4096);
    one.time += 61_000;
    await decide(one, { body });
    expect(one.decided[20]?.call.outputTokens).toBeGreaterThanOrEqual(100);
    expect(one.decided[20]?.call.outputTokens).toBeLessThan(150);
  });

  it("never sizes a hold above the limit that the call itself sends", async () => {
    const one = world("tenant.daily > $100 -> deny");
    for (let i = 0; i < 21; i++) await answer(one, await decide(one));
    one.time += 61_000;
    await decide(one);
    expect(one.decided[21]?.call.outputTokens).toBe(100);
  });
});
