import { describe, expect, it } from "vitest";
import { indexRules } from "../../src/policy/match.ts";
import { askFor } from "../../src/request.ts";
import { aCall, type CallWishes } from "../support/a-call.ts";
import { type Folder, folder, NOON } from "./command.ts";
import { inLedger, planOf } from "./ledger.ts";

const policy = `
dimension plan
tenant.hourly > $50 -> deny
tenant.feature.daily > $5 -> pause
`;
const plan = planOf(policy);

/** Whether the guard would find a gate closed for this call. */
const isStopped = (project: Folder, wishes: CallWishes, at = NOON): Promise<boolean> =>
  inLedger(
    project,
    async (store) => {
      const call = aCall(wishes);
      const { request } = askFor(plan, call, indexRules(plan)(call), 60_000, true);
      const { closed, held } = await store.judge(request);
      expect(held).toBe(closed.every((gate) => gate === null));
      return !held;
    },
    undefined,
    () => at,
  );

describe("pause", () => {
  it("stops the calls of one tenant and no others, until someone resumes it", async () => {
    const project = folder(policy);
    const { code, out, err } = await project.run(["pause", "tenant=acme"]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("Paused tenant=acme until someone resumes it");
    expect(err).toContain("npx budget-guard resume tenant=acme");
    expect(await isStopped(project, { subject: { tenant: "acme" } }, NOON + 40 * 86_400_000)).toBe(true);
    expect(await isStopped(project, { subject: { tenant: "globex" } })).toBe(false);
  });

  it.each([[["pause", "global"]], [["pause", "--all"]]])("stops everything with %j", async (args) => {
    const project = folder(policy);
    expect((await project.run(args)).code).toBe(0);
    expect(await isStopped(project, { subject: { tenant: "anyone" } })).toBe(true);
  });

  it("ends by itself after --for", async () => {
    const project = folder(policy);
    const { err } = await project.run(["pause", "tenant=acme", "--for", "1.5h"]);
    expect(err).toContain("until 16:00 UTC");
    expect(await isStopped(project, {}, NOON + 5_399_000)).toBe(true);
    expect(await isStopped(project, {}, NOON + 5_400_000)).toBe(false);
  });

  it("stops a combination that a rule counts by, in whatever order it is written", async () => {
    const project = folder(policy);
    expect((await project.run(["pause", "feature=research", "tenant=acme"])).code).toBe(0);
    expect(await isStopped(project, { subject: { tenant: "acme", feature: "research" } })).toBe(true);
    expect(await isStopped(project, { subject: { tenant: "acme", feature: "chat" } })).toBe(false);
  });

  it.each([
    [["plan=free"], { subject: { plan: "free" } }],
    [["model=openai/gpt-5-2025-08-07"], { model: "gpt-5" }],
    [["provider=anthropic"], { provider: "anthropic" }],
    [["user=a=b,c|d%"], { subject: { user: "a=b,c|d%" } }],
    [["agent=  Critic "], { subject: { agent: "Critic" } }],
  ])("counts %j as calls do", async (words, wishes) => {
    const project = folder(policy);
    expect((await project.run(["pause", ...words])).code).toBe(0);
    expect(await isStopped(project, wishes)).toBe(true);
    expect(await isStopped(project, { model: "other", subject: { tenant: "acme" } })).toBe(false);
  });

  it.each([
    [["tenat=acme"], 'There is no scope "tenat". Did you mean tenant=acme?'],
    [["customer=acme"], "Did you mean tenant=acme?"],
    [["colour=red"], "There are tenant, feature, agent, user, run, model, provider, plan."],
    [["key=abc"], 'There is no scope "key"'],
    [["acme"], "`budget-guard pause tenant=acme`"],
    [["tenant="], '"tenant=" is not SCOPE=VALUE'],
    [["tenant=a", "tenant=b"], "tenant is named twice"],
    [["user=ann", "feature=x"], "No rule counts by user and feature together"],
    [["global", "tenant=acme"], "global stands alone"],
    [["tenant=acme", "--all"], "leave out --all"],
    [[], "Pause what?"],
    [["tenant=acme", "--for", "soon"], "--for soon is no duration. Write it like 30m, 1h or 2d."],
    [["tenant=acme", "--for", "0s"], "--for 0s is no duration"],
  ])("refuses %j with 2 and closes nothing", async (words, sentence) => {
    const project = folder(policy);
    const { code, err } = await project.run(["pause", ...words]);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
    expect((await project.run(["resume", "--all"])).code).toBe(1);
  });

  it("works with a broken policy: the brake comes first", async () => {
    const project = folder("tenant.horuly > $5 -> deny\n");
    const { code, err } = await project.run(["pause", "tenant=acme"]);
    expect(code).toBe(0);
    expect(err).toContain("The policy has 1 error and is left aside here");
    expect(await isStopped(project, { subject: { tenant: "acme" } })).toBe(true);
  });

  it("says that a shadow process refuses nothing", async () => {
    const { err } = await folder(policy).run(["pause", "--all"], { env: { BUDGET_GUARD_MODE: "shadow" } });
    expect(err).toContain("BUDGET_GUARD_MODE is shadow");
  });
});
