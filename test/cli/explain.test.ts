import { describe, expect, it } from "vitest";
import { gateKey, limitKey } from "../../src/keys.ts";
import { folder } from "./command.ts";
import { DOLLAR, hold, inLedger, planOf, spend } from "./ledger.ts";

const POLICY = `limit quota by tenant from store else $25
## An agent that goes round in circles.
loop: run.repeats > 3 -> deny for 10m
tenant.hourly > $50 -> deny
opus: tenant.monthly > $200 when model matches "claude-opus-*" -> deny
tenant.total > quota -> pause "Used up, {tenant}."
brief: call.output_tokens > 2K -> cap 2K tokens
shadow tight: tenant.hourly > $1 -> deny
`;

const call = (facts: object): string => JSON.stringify(facts);

describe("budget-guard explain", () => {
  it("says every rule in English, in the order of the file, with its place", async () => {
    const { code, out } = await folder("b: run.calls > 2 -> deny\na: call.retries > 0 -> warn\n").run(["explain"]);
    expect(out).toBe(
      `b  policies/test.budget:1
    When a call would bring the run's calls above 2: refuse the call.

a  policies/test.budget:2
    When a call is a retry: warn, and let the call go.`,
    );
    expect(code).toBe(0);
  });

  it("says one rule, by its label or its text", async () => {
    const made = folder(POLICY);
    const { out } = await made.run(["explain", "loop"]);
    expect(out).toMatch(
      /^loop {2}policies\/test\.budget:3\n {4}When a call would bring the run's repeated calls above 3/,
    );
    expect((await made.run(["explain", "tenant.hourly > $50 -> deny"])).out).toContain("above $50: refuse the call");
  });

  it("guesses which rule was meant", async () => {
    const { code, err } = await folder(POLICY).run(["explain", "lopo"]);
    expect(err).toContain("There is no rule lopo, and no such file. Did you mean `loop`?");
    expect(code).toBe(2);
  });

  it("gives rules as data", async () => {
    const told = JSON.parse((await folder(POLICY).run(["explain", "--json", "loop"])).out);
    expect(told).toEqual([
      {
        rule: "loop",
        text: "loop: run.repeats > 3 -> deny for 10m",
        file: "policies/test.budget",
        line: 3,
        doc: "An agent that goes round in circles.",
        shadow: false,
        sentence: expect.stringMatching(/reopens after 10 minutes\.$/),
      },
    ]);
  });
});

describe("explain of a call", () => {
  it("shows for every rule whether it concerns it, what it reads, how much is left and what it does", async () => {
    const made = folder(POLICY);
    made.write(
      "call.json",
      call({
        tenant: "acme",
        model: "gpt-5",
        cost: 0.5,
        max_tokens: 100,
        readings: { "tenant.hourly": "$49.60", "run.repeats": 2 },
      }),
    );
    const { code, out } = await made.run(["explain", "call.json"]);
    expect(out).toBe(
      `Call      gpt-5 of openai, tenant "acme"; 0 tokens in, 100 out, estimated at $0.50
Readings  nothing, since file .budget-guard/ledger.db is not there yet, and what call.json says

RULE                           READS                       SPENT  THIS CALL  LIMIT     LEFT  VERDICT
loop                           run.repeats run=this run        2         +0      3        1  fits
tenant.hourly > $50 -> deny    tenant.hourly tenant=acme  $49.60     +$0.50    $50   -$0.10  deny
opus                                                                                         no: model is "gpt-5", which does not match "claude-opus-*"
tenant.total > quota -> pause  tenant.total tenant=acme       $0     +$0.50    $25   $24.50  fits
brief                          call.output_tokens                       100  2,000    1,900  fits
tight                          tenant.hourly tenant=acme  $49.60     +$0.50     $1  -$49.10  would deny (shadow)

Denied by \`tenant.hourly > $50 -> deny\`. Tenant "acme" would reach $50.10 of $50.00 this hour (rule "tenant.hourly > $50 -> deny", policies/test.budget:4). Resets at 15:00 UTC.
In shadow: tenant "acme" would reach $50.10 of $1.00 this hour (rule "tight", policies/test.budget:8). Resets at 15:00 UTC.`,
    );
    expect(code).toBe(0);
  });

  it("reads the ledger as it stands: what is spent, held and kept, and what is closed", async () => {
    const made = folder(POLICY);
    const plan = planOf(POLICY);
    await inLedger(made, async (store) => {
      await spend(store, plan, { tenant: "acme", run: "r-1" }, { cost: 30 * DOLLAR });
      await hold(store, plan, { tenant: "acme", run: "r-1" }, { cost: 2 * DOLLAR });
      await store.setLimit(limitKey("quota", "tenant", "acme"), 40 * DOLLAR);
      await store.close(gateKey("loop", ["run"], { run: "r-2" }), 600_000);
    });
    made.write("call.json", call({ tenant: "acme", cost: 1 }));
    const told = JSON.parse((await made.run(["explain", "call.json", "--json"])).out);
    const rule = (id: string) => told.rules.find((one: { rule: string }) => one.rule === id);
    expect(told.readings).toBe("file .budget-guard/ledger.db as it stands");
    expect(rule("tenant.total > quota -> pause").conditions).toMatchObject([
      { meter: "tenant.total", unit: "USD", spent: 30, held: 2, estimate: 1, total: 33, limit: 40, headroom: 7 },
    ]);
    expect(told.decision).toMatchObject({ verdict: "allow", rule: null });

    made.write("closed.json", call({ tenant: "globex", run: "r-2", cost: 1 }));
    const closed = JSON.parse((await made.run(["explain", "closed.json", "--json"])).out);
    expect(closed.decision).toMatchObject({ verdict: "deny for", rule: "loop" });
    expect(closed.decision.message).toContain("reopens at 14:40 UTC");
    expect((await made.run(["explain", "closed.json"])).out).toMatch(
      /loop +run\.repeats run=r-2 .* closed until 14:40 UTC/,
    );
  });

  it("leaves the ledger aside where it is told to, and lets the call's own readings count before it", async () => {
    const made = folder(POLICY);
    await inLedger(made, (store) => spend(store, planOf(POLICY), { tenant: "acme" }, { cost: 60 * DOLLAR }));
    made.write("call.json", call({ tenant: "acme", cost: 1 }));
    const verdict = async (args: readonly string[]): Promise<string> =>
      JSON.parse((await made.run(["explain", "call.json", "--json", ...args])).out).decision.verdict;
    expect(await verdict([])).toBe("pause");
    expect(await verdict(["--readings", "zero"])).toBe("allow");
    made.write("call.json", call({ tenant: "acme", cost: 1, readings: { "tenant.hourly": 3, "tenant.total": "$3" } }));
    expect(await verdict([])).toBe("allow");
  });

  it("creates no ledger, and changes none", async () => {
    const made = folder(POLICY);
    made.write("call.json", call({ tenant: "acme", cost: 60 }));
    await made.run(["explain", "call.json"]);
    await made.run(["explain", "call.json"]);
    const before = await inLedger(made, async (store) => [
      await store.gates(),
      await store.list(planOf(POLICY).meters),
    ]);
    expect(before).toEqual([[], []]);
  });

  it("shows what the call would become, and what cannot be changed", async () => {
    const policy =
      'cheap: call.cost > $0 -> route to "claude-haiku-4-5"\nother: call.cost > $0 -> route to "gpt-5-mini"\nbrief: call.output_tokens > 2K -> cap 2K tokens\n';
    const made = folder(policy);
    made.write("call.json", call({ model: "claude-opus-4-7", input_tokens: 1_000, max_tokens: 8_000 }));
    const { out } = await made.run(["explain", "call.json"]);
    expect(out).toContain("Routed by `cheap` and capped by `brief`.");
    expect(out).toMatch(
      /It would be sent to claude-haiku-4-5 instead of claude-opus-4-7: claude-haiku-4-5 of anthropic; 1,000 tokens in, 2,000 out, estimated at \$0\.011/,
    );
    expect(out).toContain("Its answer would be capped at 2,000 tokens.");
    expect(out).toContain(
      "`other` would change it and cannot: gpt-5-mini is a model of another provider than anthropic.",
    );
  });

  it("says what it assumes of an answer that nobody limits", async () => {
    const made = folder(POLICY);
    made.write("call.json", call({ model: "gpt-5", input_tokens: 10 }));
    const { err, out } = await made.run(["explain", "call.json"]);
    expect(err).toContain("Nothing is said of its answer: taken as 4096 tokens");
    expect(out).toContain("10 tokens in, 4,096 out");
  });

  it.each([
    [{}, "it says nothing of the call"],
    [{ tennant: "acme" }, "nothing is known by `tennant` of a call: did you mean `tenant`?"],
    [{ cost: "gratis" }, "`cost` is an amount, not a text: write `cost = $0.02`"],
    [
      { tenant: "a", readings: { "tenant.horly": 3 } },
      "no rule of this policy reads `tenant.horly`: did you mean `tenant.hourly`?",
    ],
    [{ tenant: "a", readings: 3 }, '"readings" is an object: {"tenant.hourly": "$49.99"}'],
    [{ tenant: "a", at: "noon" }, '"noon" is no time'],
    [{ "x y": 1 }, '"x y" is no fact of a call'],
  ])("refuses %j with a reason", async (facts, said) => {
    const made = folder(POLICY);
    made.write("call.json", call(facts));
    const { code, err } = await made.run(["explain", "call.json"]);
    expect(err).toContain(`call.json is not a call:\n  ${said}`);
    expect(code).toBe(2);
  });

  it("refuses what is no JSON, and a file that is not there", async () => {
    const made = folder(POLICY);
    made.write("call.json", "tenant = acme");
    expect(await made.run(["explain", "call.json"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("it is no JSON"),
    });
    expect(await made.run(["explain", "calls.json"])).toMatchObject({ code: 2, err: "There is no file calls.json." });
  });
});
