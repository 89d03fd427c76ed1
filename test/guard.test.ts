import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import type { Config } from "../src/config.ts";
import type { Plan } from "../src/policy/plan.ts";
import { fixedPolicy } from "../src/reloading.ts";
import { answer, chat, decide, endWorlds, message, spent, type World, world } from "./support/a-guard.ts";
import { loadPlan } from "./support/load-plan.ts";

afterEach(endWorlds);

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

  it("whose tenant is misspelt is told of once: it is counted as nobody's", async () => {
    const one = world("tenant.daily > $1 -> deny");
    for (let time = 0; time < 2; time += 1) await withBudget({ tennant: "acme" }, () => decide(one));
    expect(one.said.filter((line) => line.includes('withBudget names "tennant"'))).toHaveLength(1);
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

  it("gives its hold back when the caller hung up while the store was asked, and `settled` waits for that", async () => {
    const one = world("tenant.daily > $1 -> deny");
    const abort = new AbortController();
    const judge = one.store.judge.bind(one.store);
    const settle = one.store.settle.bind(one.store);
    Object.assign(one.store, {
      judge: async (request: Parameters<typeof judge>[0]) => {
        const judgement = await judge(request);
        expect(judgement.held).toBe(true);
        abort.abort();
        return judgement;
      },
      settle: async (settlement: Parameters<typeof settle>[0]) => {
        await new Promise((resolve) => setImmediate(resolve));
        await settle(settlement);
      },
    });
    expect(await decide(one, {}, abort.signal)).toMatchObject({ kind: "throw", error: { name: "AbortError" } });
    await one.guard.settled();
    expect(await spent(one, "tenant.cost.daily")).toEqual([0, 0]);
  });

  it("closes no gate when the caller hung up before the store was asked", async () => {
    const one = world("tenant.daily > $0 -> pause");
    const abort = new AbortController();
    const deciding = decide(one, {}, abort.signal);
    abort.abort();
    expect((await deciding).kind).toBe("throw");
    expect((await one.status()).closed).toEqual([]);
    expect(one.decided).toEqual([]);
  });

  it("has a name that no other call of any process has", async () => {
    const [one, other] = [world("tenant.daily > $1 -> deny"), world("tenant.daily > $1 -> deny")];
    for (const each of [one, other]) for (let i = 0; i < 50; i++) await decide(each);
    const names = [...one.decided, ...other.decided].map(({ call }) => call.attempt);
    expect(new Set(names).size).toBe(100);
    expect(names.every((name) => /^[\w-]{16}\.\w+$/.test(name))).toBe(true);
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

describe("a request that its caller broke off", () => {
  it("is no call: it holds nothing, charges nothing and trips nothing", async () => {
    const one = world("tenant.daily > $0.5 -> pause");
    const headers = { "content-length": String(chat().length) };
    expect(await decide(one, { headers, body: Buffer.alloc(0) })).toMatchObject({ kind: "go", body: null });
    expect(await decide(one, { headers })).toMatchObject({ kind: "go" });
    expect(one.decided).toHaveLength(1);
    expect((await one.status()).closed).toEqual([]);
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

describe("a call while the ledger answers nonsense", () => {
  it("is judged as if it were away, and that is said", async () => {
    const one = world("tenant.daily > $0.04 -> deny");
    one.failure = new SyntaxError("Unexpected token in JSON");
    one.down = true;
    expect((await decide(one)).kind).toBe("go");
    expect(message(await decide(one))).toContain("5% of a limit");
    expect(one.said.join("")).toContain("the ledger failed: Unexpected token in JSON");
    expect(one.said.join("")).not.toContain("unjudged");
  });

  it("is capped by what this process knows", async () => {
    const one = world("tenant.calls.daily > 0 -> cap 50 tokens");
    one.failure = new SyntaxError("Unexpected token in JSON");
    one.down = true;
    expect((await decide(one)).kind).toBe("go");
    expect(one.said.join("")).not.toContain("unjudged");
  });
});

describe("a defect of the guard itself", () => {
  const prices = (): Promise<never> => Promise.reject(new Error("no price table"));
  const strict = { deadlineMs: 250, localMillionths: 50_000, strict: true, holdMs: 60_000 };

  it("lets calls go, loses our headers and says so each time", async () => {
    const one = world("tenant.daily > $0 -> deny", {}, { prices });
    for (let i = 0; i < 2; i++) {
      expect(await decide(one, { headers: { "x-budget-run": "r" } })).toMatchObject({
        kind: "go",
        body: null,
        removeHeaders: ["x-budget-run"],
      });
    }
    expect(one.said.filter((line) => line.includes("unjudged") && line.includes("no price table"))).toHaveLength(2);
  });

  it("refuses them where the deployment is strict, but not in shadow mode", async () => {
    const one = world("", { storeOptions: strict }, { prices });
    expect(message(await decide(one))).toContain("the guard itself failed (no price table)");
    const thrown = world("", { storeOptions: strict, refusal: "throw" }, { prices });
    expect(await decide(thrown)).toMatchObject({ kind: "throw", error: { code: "BUDGET_EXCEEDED" } });
    const shadow = world("", { storeOptions: strict, mode: "shadow" }, { prices });
    expect((await decide(shadow)).kind).toBe("go");
  });
});

describe("a hostile request", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const many = Number.MAX_SAFE_INTEGER;
  const bodies: Record<string, string | Buffer> = {
    "asks for endless answers": chat({ n: many, max_tokens: many }),
    "asks for endless output of a model without a price": chat({ model: "no-such-model", max_tokens: many }),
    "nests its tools past the stack": `{"model":"test-model","messages":[{"content":"x"}],"tools":${deep}}`,
    "nests its content past the stack": `{"model":"test-model","messages":[{"content":${deep}}]}`,
    "names a model after a prototype": chat({ model: "__proto__" }),
    "names a model with signs of our keys": chat({ model: "a|b%,=c@1" }),
    "names a model a megabyte long": chat({ model: "m".repeat(1_000_000) }),
    "names a model that is half a sign": chat({ model: "gpt-\ud800\n" }),
    "is no JSON": Buffer.from([0xff, 0xfe, 0x00]),
    "is empty": "",
  };
  const policy = "tenant.model.daily > $0 -> deny\nrun.tokens > 0 -> deny\ncall.cost > $0 -> deny";

  for (const [name, body] of Object.entries(bodies)) {
    it(`is judged when it ${name}`, async () => {
      const one = world(policy);
      expect((await decide(one, { body: Buffer.from(body) })).kind).toBe("refuse");
      const open = world("tenant.model.daily > $9000000 -> deny\nrun.tokens > 0 -> warn");
      await answer(open, await decide(open, { body: Buffer.from(body) }));
      expect(open.said.join("")).not.toMatch(/unjudged|could not be settled/);
      const rows = (await open.status()).meters;
      expect(rows.every((row) => row.held === 0)).toBe(true);
      expect(rows.some((row) => row.spent > 0)).toBe(true);
    });
  }

  it("cannot name its way out of a pause of its scope", async () => {
    for (const tenant of ["__proto__", "constructor", "a|b%,=c", "t".repeat(5_000), "\ud83d\ude00"]) {
      const one = world("tenant.daily > $0 -> pause");
      const call = () => withBudget({ tenant, feature: tenant }, () => decide(one));
      expect((await call()).kind).toBe("refuse");
      expect(message(await call())).toContain("is paused since");
    }
  });
});

describe("an answer", () => {
  it("that claims an absurd usage is charged the estimate, and said", async () => {
    for (const usage of [
      { prompt_tokens: 1e300, completion_tokens: 1e300 },
      { prompt_tokens: 10, completion_tokens: 1e16 },
      { prompt_tokens: 10, completion_tokens: 10, cost: 1e300 },
    ]) {
      const one = world("tenant.daily > $1 -> deny");
      const passage = await decide(one);
      const [, held] = await spent(one, "tenant.cost.daily");
      await answer(one, passage, usage);
      expect(await spent(one, "tenant.cost.daily")).toEqual([held, 0]);
      expect(one.said.join("")).toContain("claims an absurd usage");
      expect(one.ended[0]?.bill.source).toBe("estimate");
    }
  });

  it("that redirects is no work: what follows is no repeat, and nothing is charged twice", async () => {
    const one = world("tenant.calls.daily > 1 -> deny\nrun.repeats > 0 -> deny");
    const first = await decide(one);
    if (first.kind !== "go") throw new Error("refused");
    first.run(() => {});
    first.tap.head(307, { location: "/v1/chat/completions/" });
    first.tap.end();
    await one.guard.settled();
    const second = await decide(one);
    expect(message(second)).toBe("let go");
    await answer(one, second);
    expect(await spent(one, "tenant.calls.daily")).toEqual([1, 0]);
    expect(one.ended).toHaveLength(2);
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

describe("what shadow would have stopped", () => {
  const shadowed = (one: World): readonly string[] => one.said.filter((line) => line.includes("but for shadow"));

  it("is said once per rule and subject, for a shadow rule and in shadow mode", async () => {
    const rule = world("shadow tenant.calls.daily > 0 -> deny");
    const mode = world("tenant.calls.daily > 0 -> deny", { mode: "shadow" });
    for (const one of [rule, mode]) {
      for (const tenant of ["a", "a", "b"]) await decide(one, { headers: { "x-budget-tenant": tenant } });
      expect(shadowed(one)).toHaveLength(2);
      expect(shadowed(one)[0]).toContain('tenant "a" would reach 1 of 0 calls today');
    }
  });
});

it("tells the tracing backend what the run stands at, where the policy counts it", async () => {
  const counted = world("run.calls > 9 -> deny\nrun.cost > $9 -> deny");
  await answer(counted, await decide(counted));
  await decide(counted);
  expect(counted.decided.map(({ run }) => run)).toEqual([
    { calls: 1, cost: 0 },
    { calls: 2, cost: 1_010_000 },
  ]);
  const not = world("tenant.daily > $9 -> deny");
  await decide(not);
  expect(not.decided[0]?.run).toEqual({ calls: null, cost: null });
});

describe("a policy that changes while calls are out", () => {
  const planOf = (text: string): Plan => loadPlan([{ file: "policies/test.budget", text }], () => {});

  it("judges a call to its end by the policy that it began with, and charges it on both", async () => {
    const [before, after] = ["tenant.daily > $1 -> deny\n", "tenant.calls.hourly > 0 -> deny\n"].map(planOf);
    if (before === undefined || after === undefined) throw new Error("two plans");
    let current = fixedPolicy(before).current();
    const one = world("", {}, { policy: { current: () => current, fresh: () => null } });
    const passage = await decide(one, { headers: { "x-budget-tenant": "acme" } });
    current = fixedPolicy(after).current();
    await answer(one, passage);
    const found = await one.store.list([...before.meters, ...after.meters]);
    expect(found.map(({ key, spent, held }) => [key, spent > 0, held])).toEqual([
      ["tenant.cost.daily|acme", true, 0],
      ["tenant.calls.hourly|acme", true, 0],
    ]);
    expect(one.decided[0]?.policy.hash).toBe(before.hash);
    const next = await decide(one, { headers: { "x-budget-tenant": "acme" } });
    expect(message(next)).toContain("would reach 2 of 0 calls this hour");
    expect(one.decided[1]?.policy.hash).toBe(after.hash);
  });

  it("waits for a look at the files where the last one is too long ago", async () => {
    let looked = (): void => {};
    const looking = new Promise<void>((resolve) => {
      looked = resolve;
    });
    const policy = fixedPolicy(planOf("tenant.daily > $0 -> deny\n"));
    const one = world("", {}, { policy: { ...policy, fresh: () => looking } });
    const passage = decide(one);
    await new Promise((resolve) => setImmediate(resolve));
    expect(one.decided).toHaveLength(0);
    looked();
    expect((await passage).kind).toBe("refuse");
  });
});
