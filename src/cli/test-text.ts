/**
 * What came of tests, for people and for programs.
 * @module
 */
import type { Source } from "../files.ts";
import { type Diagnostic, positionAt } from "../policy/diagnostics.ts";
import type { RuleReport } from "../policy/explain-call.ts";
import type { TestResult } from "../policy/suite.ts";
import { columns } from "./columns.ts";
import { READING_TITLES, readingRows } from "./explain-text.ts";
import { count } from "./phrases.ts";
import { show } from "./show.ts";
import type { Paint } from "./terminal.ts";
import type { PolicyCoverage, RanSuite } from "./test.ts";

/** One file of tests: a line a test, and under each failure what came instead. */
export function suiteText({ source, subject, results }: RanSuite, paint: Paint): string {
  const lines = results.map((result) => {
    const mark = result.passed ? paint("green", "ok  ") : paint("red", "FAIL");
    const line = `  ${mark}  ${result.test.title.value}`;
    return result.passed ? line : `${line}\n\n${indented(failure(result, source, paint))}\n`;
  });
  return [`${paint("bold", source.file)} ${paint("dim", `(${subject})`)}`, ...lines].join("\n").trimEnd();
}

function failure({ findings, reports }: TestResult, source: RanSuite["source"], paint: Paint): string {
  const told = show(
    findings.map((finding) => ({ ...finding, file: source.file })),
    [source],
    paint,
  );
  return reports.length === 0 ? told : `${told}\n\n${readings(reports, paint)}`;
}

/** What the rules read that matter to a failure. */
const readings = (reports: readonly RuleReport[], paint: Paint): string =>
  columns([...READING_TITLES], reports.flatMap(readingRows), paint);

const indented = (text: string): string => text.replace(/^(?=.)/gm, "    ");

/** What the tests of one policy leave untried. */
export function coverageText({ subject, plan, neverFired, neverPassed }: PolicyCoverage, paint: Paint): string {
  const all = plan.rules.length;
  const head = `${paint("bold", subject)}: ${all - neverFired.length} of ${count(all, "rule")} fired, ${all - neverPassed.length} let a call pass`;
  const list = (title: string, rules: PolicyCoverage["neverFired"]): string[] =>
    rules.length === 0
      ? []
      : [
          `  ${paint("yellow", title)}`,
          ...rules.map(({ id, file, line }) => `    ${id}  ${paint("dim", `${file}:${line}`)}`),
        ];
  return [head, ...list("no test fired", neverFired), ...list("no test let a call pass", neverPassed)].join("\n");
}

/** `12 tests passed, 1 failed.` */
export function totalText(ran: readonly RanSuite[], paint: Paint): string {
  const results = ran.flatMap((suite) => suite.results);
  const failed = results.filter(({ passed }) => !passed).length;
  const passed = `${count(results.length - failed, "test")} passed`;
  return failed === 0 ? `${paint("green", passed)}.` : `${passed}, ${paint("red", `${failed} failed`)}.`;
}

/** The same for a program. */
export function asJson(ran: readonly RanSuite[], coverage: readonly PolicyCoverage[] | null): unknown {
  const results = ran.flatMap((suite) => suite.results);
  const failed = results.filter(({ passed }) => !passed).length;
  const place = (rules: PolicyCoverage["neverFired"]) => rules.map(({ id, file, line }) => ({ rule: id, file, line }));
  return {
    passed: results.length - failed,
    failed,
    errors: [],
    suites: ran.map(({ source, subject, results: own }) => ({
      file: source.file,
      policy: subject,
      tests: own.map(({ test, passed, findings, happened }) => ({
        title: test.title.value,
        line: positionAt(source.text, test.span.start).line,
        passed,
        expected: { verdict: test.expect.verdict, by: reasonOf(test.expect.by) },
        happened,
        findings: findings.map(({ code, message, note, help, span }) => {
          return { code, message, ...positionAt(source.text, span.start), note: note ?? null, help: help ?? null };
        }),
      })),
    })),
    coverage:
      coverage?.map(({ subject, plan, neverFired, neverPassed }) => ({
        policy: subject,
        rules: plan.rules.length,
        neverFired: place(neverFired),
        neverPassed: place(neverPassed),
      })) ?? null,
  };
}

/** For a program: what kept every test from being run. */
export function brokenJson(diagnostics: readonly Diagnostic[], sources: readonly Source[]): unknown {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  const errors = diagnostics.map(({ code, message, file, span, help }) => {
    return { code, message, file, ...positionAt(texts.get(file) ?? "", span.start), help: help ?? null };
  });
  return { passed: 0, failed: 0, errors, suites: [], coverage: null };
}

const reasonOf = (by: TestResult["test"]["expect"]["by"]): string | null =>
  by === null ? null : by.kind === "Name" ? by.text : by.value;
