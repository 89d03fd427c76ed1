import { describe, expect, it } from "vitest";
import { gateKey } from "../../src/keys.ts";
import { folder } from "./command.ts";
import { DOLLAR, inLedger, planOf, spend } from "./ledger.ts";

const policy = `
daily: tenant.daily > $50 -> pause
loop: run.calls > 25 -> deny for 10m
`;
const plan = planOf(policy);

/** A project in which rule `daily` and a person have closed acme, and rule `loop` one of its runs. */
async function aStoppedProject() {
  const project = folder(policy);
  await inLedger(project, async (store) => {
    await store.close(gateKey("daily", ["tenant"], { tenant: "acme" }), null);
    await store.close(gateKey("", ["tenant"], { tenant: "acme" }), 3_600_000);
    await store.close(gateKey("loop", ["run"], { run: "r1" }), 600_000);
  });
  const closed = () => inLedger(project, async (store) => (await store.gates()).map(({ key }) => key).sort());
  return { project, closed };
}

describe("resume", () => {
  it("opens what a rule and what a person closed on exactly this scope, and says so", async () => {
    const { project, closed } = await aStoppedProject();
    const { code, out, err } = await project.run(["resume", "tenant=acme"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n").sort()).toEqual([
      'Opened tenant=acme: paused by "daily" since 14:30 UTC.',
      "Opened tenant=acme: paused by hand since 14:30 UTC.",
    ]);
    expect(await closed()).toEqual(["loop|run=r1"]);
  });

  it("opens only what one rule closed with --rule", async () => {
    const { project, closed } = await aStoppedProject();
    expect((await project.run(["resume", "--rule", "loop"])).out).toContain('tripped by "loop"');
    expect(await closed()).toEqual(["daily|tenant=acme", "|tenant=acme"]);
    expect((await project.run(["resume", "tenant=acme", "--rule", "daily"])).code).toBe(0);
    expect(await closed()).toEqual(["|tenant=acme"]);
  });

  it("opens everything with --all", async () => {
    const { project, closed } = await aStoppedProject();
    expect((await project.run(["resume", "--all"])).code).toBe(0);
    expect(await closed()).toEqual([]);
  });

  it("opens what `pause global` closed with `resume global`, and only that", async () => {
    const { project, closed } = await aStoppedProject();
    await project.run(["pause", "global"]);
    expect((await project.run(["resume", "global"])).out).toContain("Opened global: paused by hand");
    expect(await closed()).toHaveLength(3);
  });

  it("warns with figures where the rule is likely to close it again", async () => {
    const { project } = await aStoppedProject();
    await inLedger(project, (store) =>
      spend(store, plan, { tenant: "acme", run: "r1" }, { cost: 49.95 * DOLLAR, calls: 25 }),
    );
    const { code, err } = await project.run(["resume", "--all"]);
    expect(code).toBe(0);
    expect(err).toContain(
      'tenant=acme stands at $49.95 of $50.00 (rule "daily"): a call that needs more than the $0.05 left closes it again. ' +
        "Room returns on 23 November at 00:00 UTC (in 9h 30m).",
    );
    expect(err).toContain('run=r1 stands at 25 of 25 calls (rule "loop"): the next call closes it again.');
  });

  it("does not warn where the meter has room again", async () => {
    const { project } = await aStoppedProject();
    await inLedger(project, (store) =>
      spend(store, plan, { tenant: "acme", run: "r1" }, { cost: 20 * DOLLAR, calls: 2 }),
    );
    expect((await project.run(["resume", "--all"])).err).toBe("");
  });

  it("ends with 1 where nothing was closed there, and lists what is closed", async () => {
    const { project, closed } = await aStoppedProject();
    const { code, out, err } = await project.run(["resume", "tenant=globex"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Nothing is closed for tenant=globex.");
    expect(err).toContain("npx budget-guard resume tenant=acme");
    expect(await closed()).toHaveLength(3);
  });

  it.each([
    [["tenat=acme"], "Did you mean tenant?"],
    [["--rule", "dialy"], 'Did you mean "daily"?'],
  ])("says what %j was probably meant to be", async (words, sentence) => {
    const { project } = await aStoppedProject();
    const { code, err } = await project.run(["resume", ...words]);
    expect(code).toBe(1);
    expect(err).toContain(sentence);
  });

  it.each([
    [[], "Resume what?"],
    [["--all", "tenant=acme"], "--all is everything"],
    [["acme"], "`budget-guard resume tenant=acme`"],
  ])("refuses %j with 2", async (words, sentence) => {
    const { code, err } = await folder(policy).run(["resume", ...words]);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });

  it("ends with 1 where no ledger was ever made", async () => {
    expect(await folder(policy).run(["resume", "--all"])).toEqual({ code: 1, out: "", err: "Nothing is closed." });
  });
});
