/**
 * `budget-guard test`: every test beside the policy, run through the functions that judge real calls.
 * @module
 */
import { findRoot, readConfig } from "../config.ts";
import type { Source } from "../files.ts";
import type { Compiled } from "../policy/compile.ts";
import type { Diagnostic } from "../policy/diagnostics.ts";
import { indexRules } from "../policy/match.ts";
import type { Plan } from "../policy/plan.ts";
import { runTest, type TestResult } from "../policy/suite.ts";
import { type Coverage, coverageOf } from "../policy/suite-coverage.ts";
import { parseSuite } from "../policy/syntax.ts";
import { loadEstimator } from "./estimator.ts";
import { exit } from "./exit.ts";
import { count } from "./phrases.ts";
import { roomAt } from "./room.ts";
import { show } from "./show.ts";
import { findSuites, type SuiteFile } from "./suites.ts";
import { asJson, brokenJson, coverageText, suiteText, totalText } from "./test-text.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const test: Verb = {
  name: "test",
  summary: "run the policy's own tests: what would happen to this call?",
  usage: "[FILES...] [--coverage] [--strict] [--json]",
  about: [
    "Runs every *.test.budget beside the policy (or the files and folders named). x.test.budget tests x.budget with what",
    "it imports; where there is no x.budget it tests the whole folder. The policy is checked first: with errors no test",
    "runs. A test says what went before, what is called, and what should come of it, by which rule:",
    "",
    '    test "the call that would pass $50 is refused"',
    "      given tenant.hourly = $49.99",
    '      call  tenant = "acme", cost = $0.02',
    '      expect deny by "tenant.hourly > $50 -> deny"',
    "",
    "What a test does not say is nothing. A call has scopes and dimensions, model, provider, cost, tokens, input_tokens,",
    "output_tokens, max_tokens, retries, repeats, runs, unpriced, unmetered; without a cost its model is priced by its",
    "tokens. Given can be any meter or budget that a rule reads (`given research = 96%`), a limit that the store keeps,",
    "and `store.down`. Expected can be allow, warn, backoff, hold, deny (also `deny for`), pause, route and cap; `allow`",
    "means that no rule said anything.",
  ],
  options: {
    coverage: { type: "boolean", help: "list rules that no test fired, and rules that no test let pass" },
    strict: { type: "boolean", help: "such rules fail the run" },
    json: { type: "boolean", help: "{passed, failed, errors, suites: [{file, policy, tests}], coverage}" },
  },
  examples: [
    ["npx budget-guard test", "the tests of this project"],
    ["npx budget-guard test policies/research.budget --coverage", "one policy, and what its tests leave untried"],
    ["npx budget-guard test --strict --json", "as a build step"],
  ],
  async run(given, world) {
    return runSuites(given, world);
  },
};

/** A test file with what came of it. */
export interface RanSuite extends SuiteFile {
  readonly results: readonly TestResult[];
}

async function runSuites({ values, words }: Arguments, world: World): Promise<number> {
  const { out, err } = world.terminal;
  const config = readConfig(world.env, world.cwd);
  const suites = findSuites(words, world.cwd, findRoot(world.cwd), config.policy.paths);
  if (suites.length === 0) {
    err.line("There are no tests: write policies/NAME.test.budget beside policies/NAME.budget.");
    return exit.findings;
  }
  const wrong = checked(suites);
  if (wrong.diagnostics.length > 0) {
    const { diagnostics, sources } = wrong;
    const text = `${show(diagnostics, sources, out.paint)}\n\n${count(diagnostics.length, "error")}: no test was run.`;
    out.line(values.json === true ? JSON.stringify(brokenJson(diagnostics, sources), null, 2) : text);
    return exit.findings;
  }
  const estimator = await loadEstimator(config.prices ?? {}, world.clock);
  const ran: RanSuite[] = [];
  for (const suite of suites) {
    const { plan } = suite.policy;
    if (plan === null) continue;
    const testWorld = { plan, rulesFor: indexRules(plan), estimator, now: world.clock(), resetsAt: roomAt };
    const { tests } = parseSuite(suite.source.text);
    const results: TestResult[] = [];
    for (const one of tests) results.push(await runTest(one, testWorld));
    ran.push({ ...suite, results });
  }
  const wantsCoverage = values.coverage === true || values.strict === true;
  const coverage = wantsCoverage ? coverages(ran) : [];
  if (values.json === true) out.line(JSON.stringify(asJson(ran, wantsCoverage ? coverage : null), null, 2));
  else {
    for (const suite of ran) out.line(`${suiteText(suite, out.paint)}\n`);
    for (const one of coverage) out.line(`${coverageText(one, out.paint)}\n`);
    out.line(totalText(ran, out.paint));
  }
  const failed = ran.some(({ results }) => results.some(({ passed }) => !passed));
  const untried = coverage.some(({ neverFired, neverPassed }) => neverFired.length + neverPassed.length > 0);
  return failed || (values.strict === true && untried) ? exit.findings : exit.fine;
}

/** What stops all tests: errors of a policy, or tests that cannot be read. */
function checked(suites: readonly SuiteFile[]): {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
} {
  const policies = [...new Set(suites.map(({ policy }) => policy))];
  const ofPolicies = policies.flatMap(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === "error"));
  const ofTests = suites.flatMap(({ source }) =>
    parseSuite(source.text).findings.map((finding) => ({ ...finding, file: source.file })),
  );
  // Policies that import one file have its errors in common.
  const distinct = new Map(
    [...ofPolicies, ...ofTests].map((one) => [`${one.file}:${one.span.start}:${one.message}`, one]),
  );
  const sources = [...policies.flatMap((policy) => policy.sources), ...suites.map(({ source }) => source)];
  return { diagnostics: [...distinct.values()], sources };
}

export interface PolicyCoverage extends Coverage {
  readonly subject: string;
  readonly plan: Plan;
}

/** By policy: several files may test one folder. */
function coverages(ran: readonly RanSuite[]): readonly PolicyCoverage[] {
  return [...new Set(ran.map(({ policy }) => policy))].flatMap((policy: Compiled) => {
    const { plan } = policy;
    const own = ran.filter((suite) => suite.policy === policy);
    const calls = own.flatMap(({ results }) => results.flatMap(({ simulated }) => simulated ?? []));
    return plan === null ? [] : { subject: own[0]?.subject ?? "", plan, ...coverageOf(plan, calls) };
  });
}
