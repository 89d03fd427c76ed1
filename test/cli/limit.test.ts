import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/status.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type Folder, folder } from "./command.ts";
import { DOLLAR, inLedger, planOf, spend } from "./ledger.ts";

const policy = `dimension plan
limit tier by plan { "free": $5, "pro": $200 } else $1
limit quota by tenant from store else $50
limit flow by tenant from store else 2M tokens
limit pace by user from store else 500
limit reach by tenant from store else tier
tenant.monthly > quota -> deny
tenant.tokens.monthly > flow -> deny
user.calls.daily > pace -> hold 10s
tenant.daily > reach -> deny
`;

const set = (at: Folder, ...words: string[]) => at.run(["limit", "set", ...words]);
const listed = async (at: Folder): Promise<unknown> => JSON.parse((await at.run(["limit", "list", "--json"])).out);

describe("limit", () => {
  it("sets a limit, says what it was, lists it and unsets it", async () => {
    const at = folder(policy);
    expect(await set(at, "tenant=acme", "quota=$80")).toEqual({
      code: 0,
      out: "Set quota of tenant=acme: $80.00, was $50.00 by the policy.",
      err: "",
    });
    expect((await set(at, "quota=$120.50", "tenant=acme")).out).toBe("Set quota of tenant=acme: $120.50, was $80.00.");
    expect((await set(at, "tenant=globex", "quota=unlimited")).out).toContain("unlimited, was $50.00 by the policy.");
    expect((await at.run(["limit", "list"])).out).toBe("quota  tenant=acme  $120.50\nquota  tenant=globex  unlimited");
    expect(await listed(at)).toEqual([
      { limit: "quota", by: "tenant", value: "acme", amount: 120.5, unit: "USD" },
      { limit: "quota", by: "tenant", value: "globex", amount: "unlimited", unit: "USD" },
    ]);
    expect((await at.run(["limit", "unset", "tenant=acme", "quota"])).out).toBe(
      "Unset quota of tenant=acme: it was $120.50, now $50.00 by the policy.",
    );
    expect(await listed(at)).toHaveLength(1);
  });

  it("takes amounts in the language's own notation, in the limit's unit", async () => {
    const at = folder(policy);
    expect((await set(at, "tenant=acme", "flow=3.5M")).out).toContain("3,500,000 tokens, was 2,000,000 tokens");
    expect((await set(at, "tenant=acme", "flow=4M tokens")).out).toContain("4,000,000 tokens, was 3,500,000 tokens.");
    expect((await set(at, "user=ann", "pace=1K")).out).toBe("Set pace of user=ann: 1,000, was 500 by the policy.");
    expect(await listed(at)).toMatchObject([
      { limit: "flow", amount: 4_000_000, unit: "tokens" },
      { limit: "pace", amount: 1_000, unit: "count" },
    ]);
  });

  it("leaves what another dimension decides to the policy", async () => {
    const at = folder(policy);
    expect((await set(at, "tenant=acme", "reach=$9")).out).toContain("$9.00, was what the policy says by plan.");
  });

  it.each([
    [
      ["tenant=acme", "quota=80"],
      "quota is measured in dollars, and \"80\" is no such amount. Write it like 'quota=$80'",
    ],
    // What a shell makes of quota=$80 without quotes.
    [["tenant=acme", "quota=0"], "a shell takes $80 for a variable"],
    [["tenant=acme", "quota="], "a shell takes $80 for a variable"],
    [["tenant=acme", "quota=€80"], "quota is measured in dollars"],
    [["tenant=acme", "quota=$80\ntenant.total > $1 -> deny"], "is no such amount"],
    [["tenant=acme", "flow=$3"], 'flow is measured in tokens, and "$3" is no such amount. Write it like flow=2M'],
    [["user=ann", "pace=many"], "pace is measured in a plain number"],
    [["user=ann", "pace=2M tokens"], "pace is measured in a plain number"],
    [["tenant=acme", "qouta=$80"], "The policy has no limit qouta. Did you mean quota?"],
    [["tenant=acme", "budget=$80"], "The policy has no limit budget. There are flow, pace, quota, reach."],
    [["plan=free", "tier=$80"], "tier stands in the policy itself."],
    [["user=ann", "quota=$80"], "quota is by tenant, not by user."],
    [["tenant", "quota=$80"], '"tenant" is not SCOPE=VALUE'],
    [["quota=$80"], "Set what?"],
    [[], "Set what?"],
  ])("refuses %j", async (words, message) => {
    const at = folder(policy);
    const { code, out, err } = await set(at, ...words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(await listed(at)).toEqual([]);
  });

  it("says where a verb was meant", async () => {
    const at = folder(policy);
    expect(await at.run(["limit", "lst"])).toMatchObject({ code: 2 });
    expect((await at.run(["limit", "unst", "tenant=acme", "quota"])).err).toContain(
      "Did you mean `budget-guard limit unset`?",
    );
    expect((await at.run(["limit"])).err).toContain("Set, unset or list?");
  });

  it("ends with 1 where nothing is set", async () => {
    const at = folder(policy);
    expect(await at.run(["limit", "unset", "tenant=acme", "quota"])).toMatchObject({
      code: 1,
      err: "No quota is set for tenant=acme.",
    });
    await set(at, "tenant=acme", "quota=$80");
    expect((await at.run(["limit", "unset", "tenant=acme", "qouta"])).err).toContain("Did you mean quota?");
    expect((await at.run(["limit", "list"])).code).toBe(0);
  });

  it("forgets a limit that the policy no longer has", async () => {
    const at = folder(policy);
    await set(at, "tenant=acme", "quota=$80");
    at.write("policies/test.budget", "tenant.daily > $5 -> deny\n");
    expect((await at.run(["limit", "list"])).out).toContain("the policy keeps no such limit in the store");
    expect((await at.run(["limit", "unset", "tenant=acme", "quota"])).code).toBe(0);
    expect((await at.run(["limit", "list"])).err).toBe("No limit is set.");
  });

  it("creates no ledger for looking", async () => {
    const at = folder(policy);
    expect(await listed(at)).toEqual([]);
    expect((await at.run(["status"])).code).toBe(0);
  });

  it("tells of a limit that no rule looks at", async () => {
    const at = folder("limit quota by tenant from store else $50\ntenant.daily > $5 -> deny\n");
    const { code, err } = await set(at, "tenant=acme", "quota=$80");
    expect([code, err]).toEqual([0, "No rule of the policy looks at quota."]);
  });
});

describe("status of named limits", () => {
  it("shows what the store keeps, what the policy says, and what a call's dimension decides", async () => {
    const at = folder(policy);
    const plan = planOf(policy);
    await set(at, "tenant=acme", "quota=$80");
    await set(at, "tenant=globex", "quota=unlimited");
    await inLedger(at, async (store) => {
      for (const tenant of ["acme", "globex", "initech"])
        await spend(store, plan, { tenant, user: "ann" }, { cost: 20 * DOLLAR });
    });
    const status: Status = JSON.parse((await at.run(["status", "--json"])).out);
    const of = (meter: string, tenant: string) =>
      status.meters.find((row) => row.meter === meter && row.scope.tenant === tenant);
    expect(of("tenant.cost.monthly", "acme")).toMatchObject({ limit: 80, used: 0.25, limits: [{ named: "quota" }] });
    expect(of("tenant.cost.monthly", "initech")).toMatchObject({ limit: 50, used: 0.4 });
    expect(of("tenant.cost.monthly", "globex")).toMatchObject({ limit: null, used: null });
    expect(of("tenant.cost.daily", "acme")).toMatchObject({ limit: null, limits: [{ named: "reach", by: "plan" }] });
    const text = (await at.run(["status"])).out;
    expect(text).toMatch(/25% +tenant\.cost\.monthly +tenant=acme +\$20\.00 +\$0\.00 +\$80\.00 /);
    expect(text).toMatch(/tenant\.cost\.monthly +tenant=globex +\$20\.00 +\$0\.00 +unlimited /);
    expect(text).toMatch(/tenant\.cost\.daily +tenant=acme +\$20\.00 +\$0\.00 +by plan /);
  });

  it("shows runs and calls in flight", async () => {
    const text = "tenant.runs last 5m > 4 -> deny\ntenant.concurrency > 8 -> hold 20s\n";
    const at = folder(text);
    const plan = planOf(text);
    await inLedger(at, async (store) => {
      for (const run of ["a", "b", "a"]) {
        await store.judge({
          attempt: Math.random().toString(),
          holdMs: 60_000,
          meters: plan.meters.map((meter) => ({
            key: `${meter.id}|acme`,
            window: meter.window,
            add: meter.metric === "runs" ? "run" : 1,
            floor: 0,
          })),
          stops: [],
          gates: [],
          limits: [],
          run,
          fingerprint: null,
          sdkRetry: null,
        });
      }
    });
    const status: Status = JSON.parse((await at.run(["status", "--json"])).out);
    const of = (meter: string) => status.meters.find((row) => row.meter === meter);
    expect(of("tenant.runs.last 5m")).toMatchObject({ spent: 2, held: 0, limit: 4, unit: "runs", used: 0.5 });
    expect(of("tenant.concurrency")).toMatchObject({ spent: 0, held: 3, limit: 8, unit: "calls" });
    expect(of("tenant.concurrency")?.limits).toMatchObject([{ action: "hold" }]);
  });
});

describe("limits in Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });

  it("are set, listed and unset alike", async () => {
    const at = folder(policy);
    const env = { BUDGET_GUARD_STORE: redis.url };
    const run = (...args: string[]) => at.run(["limit", ...args], { env });
    expect((await run("set", "tenant=acme", "quota=$80")).out).toContain("$80.00, was $50.00 by the policy.");
    expect((await run("set", "tenant=a|b=c", "quota=unlimited")).code).toBe(0);
    expect(JSON.parse((await run("list", "--json")).out)).toMatchObject([
      { value: "acme", amount: 80 },
      { value: "a|b=c", amount: "unlimited" },
    ]);
    expect((await run("unset", "tenant=acme", "quota")).code).toBe(0);
    expect(JSON.parse((await run("list", "--json")).out)).toHaveLength(1);
  });
});
