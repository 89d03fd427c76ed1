/**
 * The parser's complaint about a test, in the author's terms.
 * @module
 */
import type { PeggyError, TestNode } from "./ast.ts";
import { type Finding, syntax } from "./finding.ts";
import { spanOf, tokenAt, unexpected, wanted } from "./reword.ts";
import { closest } from "./suggest.ts";
import type { Token } from "./tokens.ts";

const FORM = 'a test reads `test "title"`, then indented: `given tenant.hourly = $49`, `call cost = $2`, `expect deny`';

const verdicts = ["allow", "warn", "backoff", "hold", "deny", "pause", "route", "cap"];

/** One sentence for a test that could not be parsed; `offset` is where the parser gave up. */
export function rewordTest(tokens: readonly Token[], offset: number, expected: PeggyError["expected"]): Finding {
  const [first, second] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) {
    return syntax({ start: offset, end: offset }, "nothing can be read here", "delete this line");
  }
  if (first.text !== "test") {
    const rule = tokens.some(({ text }) => text === "->" || text === "=>");
    return rule
      ? syntax(spanOf(first), "this is a rule, and this file holds tests", "move it to a `*.budget` file")
      : syntax(spanOf(first), `a test begins with \`test\`, not with \`${first.text}\``, indentHelp(first.text));
  }
  if (second?.kind !== "string") {
    return syntax(
      spanOf(second ?? first),
      "a test has a title in quotes",
      'write `test "the fourth repeat is refused"`',
    );
  }
  const end = { start: last.end, end: last.end };
  const has = (word: string): boolean => tokens.some(({ text, kind }) => kind === "word" && text === word);
  if (offset >= last.end) {
    if (!has("call")) return syntax(end, "this test makes no call", 'add `call tenant = "acme", cost = $0.02`');
    if (!has("expect")) return syntax(end, "this test expects nothing", "add `expect deny` or `expect allow`");
    return syntax(end, "this test stops short", wanted(expected));
  }
  const double = tokens.find(({ text }) => text === "==");
  if (double !== undefined) return syntax(spanOf(double), "`==` was not expected here", "`=` gives a value here");
  const at = tokenAt(tokens, offset);
  const before = tokens[tokens.indexOf(at) - 1]?.text ?? "";
  return syntax(spanOf(at), unexpected(tokens, offset), slip(at, before, has) ?? wanted(expected));
}

const indentHelp = (word: string): string =>
  ["given", "at", "call", "expect"].includes(word) ? "indent it: it belongs to the test above" : FORM;

function slip(at: Token, before: string, has: (word: string) => boolean): string | null {
  if (before === "expect") {
    const meant = closest(at.text, verdicts);
    return meant === null ? `the verdicts are ${verdicts.join(", ")}` : `did you mean \`${meant}\`?`;
  }
  if (at.text === "given") return "what is given stands before the call";
  if (at.text === "at") return "the time stands before the call: `at` comes before `call`";
  if (at.text === "expect" && !has("call")) return 'make a call first: `call tenant = "acme", cost = $0.02`';
  if (at.text === ":") return "`=` gives a value here";
  if (at.text === ">" || at.text === ">=") return "give one value with `=`: `given tenant.hourly = $49.99`";
  if (before === "at") return 'write the time in quotes: `at "2026-04-19T03:47:00Z"`';
  if (before === "by") return "name the rule by its label, or by its text in quotes";
  if (at.text === "by" || at.text === "for") return "write `expect deny by loop`; `expect deny` covers `deny for`";
  if (before === "given" || before === "call") return FORM;
  return null;
}

/** What the grammar lets through and no call can be made of; null where there is nothing. */
export function slipsOf(test: TestNode): Finding | null {
  for (const { name, value } of test.call) {
    if (value.kind === "Ref") {
      const text = value.name.text;
      return syntax(value.span, `\`${text}\` is no value`, `write it in quotes: \`${name.text} = "${text}"\``);
    }
    if (value.kind === "Percent" || value.kind === "Rate" || value.kind === "Unlimited") {
      return syntax(value.span, "one call has plain amounts only", `write \`${name.text} = $0.02\` or a number`);
    }
  }
  for (const { subject, amount } of test.givens) {
    if (amount === null && !FLAGS.includes(subject.path.map(({ text }) => text).join("."))) {
      return syntax(subject.span, "how much is given?", "write `given tenant.hourly = $49.99`; only flags stand alone");
    }
  }
  return null;
}

const FLAGS: readonly string[] = ["store.down", "call.unpriced", "call.unmetered"];
