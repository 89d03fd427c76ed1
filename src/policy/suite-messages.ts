/**
 * Every sentence about a test that cannot be run, or did not go as it should.
 * @module
 */
import type { Span } from "./ast.ts";
import { didYouMean, finding } from "./finding.ts";

const fact = finding("error", "fact");
const given = finding("error", "given");

/** What a call is described by. */
export const facts = {
  unknown: (span: Span, name: string, meant: string | null) =>
    fact(
      span,
      `nothing is known by \`${name}\` of a call`,
      didYouMean(meant, "a call has scopes, declared dimensions, cost, input_tokens, output_tokens, retries, repeats"),
    ),
  twice: (span: Span, name: string) => fact(span, `\`${name}\` is said twice of this call`, "delete one"),
  errors: (span: Span) =>
    fact(
      span,
      "whether a call fails is known only when it is over",
      "say how many failed before it: `given provider.errors last 1m = 26`",
    ),
  one: (span: Span, name: string) =>
    fact(span, "a call is always one call", `say what went before it: \`given run.${name} = 20\``),
  text: (span: Span, name: string) => fact(span, `\`${name}\` is a text`, `write it in quotes: \`${name} = "acme"\``),
  quoted: (span: Span, name: string, text: string) =>
    fact(
      span,
      `\`${name}\` is an amount, not a text`,
      /^\$?\d/.test(text)
        ? `leave out the quotes: \`${name} = ${text}\``
        : `write \`${name} = ${name === "cost" ? "$0.02" : "1"}\``,
    ),
  money: (span: Span, name: string, text: string) =>
    fact(
      span,
      `\`${name}\` is measured in dollars`,
      `write \`${name} = $${text.replace(/[^\d._KMB]/g, "") || "0.02"}\``,
    ),
  count: (span: Span, name: string, noun: string, example: string) =>
    fact(span, `\`${name}\` is a number of ${noun}`, `write \`${example}\``),
  once: (span: Span, name: string) =>
    fact(
      span,
      `one call adds at most one of \`${name}\``,
      `write \`${name} = 1\` or \`${name} = 0\`; what went before it is \`given\``,
    ),
  yesOrNo: (span: Span, name: string) => fact(span, `\`${name}\` is yes or no`, `write \`${name} = "yes"\``),
  sum: (span: Span) =>
    fact(span, "`tokens` is not the sum of `input_tokens` and `output_tokens`", "say two of the three"),
} as const;

/** What went before. */
export const givens = {
  unread: (span: Span, path: string, meant: string | null, all: readonly string[]) =>
    given(
      span,
      `no rule of this policy reads \`${path}\``,
      didYouMean(meant, all.length === 0 ? "this policy reads no meter" : `it reads ${all.join(", ")}`),
    ),
  twice: (span: Span, path: string) => given(span, `\`${path}\` is given twice`, "delete one"),
  noAmount: (span: Span, path: string) => given(span, `how much is \`${path}\`?`, `write \`given ${path} = 1\``),
  flagAmount: (span: Span, path: string) => given(span, `\`${path}\` is yes or no`, `write \`given ${path}\``),
  ofCall: (span: Span, path: string) =>
    given(span, `\`${path}\` is a fact of the call`, "say it behind `call`: `call cost = $0.02`"),
  flagOfCall: (span: Span, path: string, name: string) =>
    given(span, `\`${path}\` is a fact of the call`, `say it behind \`call\`: \`call ${name} = "yes"\``),
  amount: (span: Span, path: string, noun: string, example: string) =>
    given(span, `\`${path}\` is measured in ${noun}`, `write \`given ${path} = ${example}\``),
  percent: (span: Span, path: string) =>
    given(span, `\`${path}\` is no budget, so it has no percentage`, "write how much was spent or counted"),
  notKept: (span: Span, name: string) =>
    given(
      span,
      `the limit \`${name}\` is not kept in the store, so it is what the policy says`,
      `only a limit \`from store\` can be given; or say whose call it is: \`call tenant = "acme"\``,
    ),
  endless: (span: Span, name: string) =>
    given(span, `the budget \`${name}\` has no limit for this call`, "write how much was spent: `given budget = $20`"),
  time: (span: Span, text: string) =>
    given(
      span,
      `"${text}" is no time`,
      'write date, time and zone: `at "2026-04-19T03:47:00Z"`, or `+02:00` in place of `Z`',
    ),
} as const;

/** What was expected. */
export const expectations = {
  rule: (span: Span, name: string, meant: string | null) =>
    finding("error", "unknown-name")(
      span,
      `this policy has no rule \`${name}\``,
      meant?.includes(" ") === true
        ? `did you mean \`by "${meant.replaceAll('"', '\\"')}"\`?`
        : didYouMean(meant, 'name its label, or its text in quotes: `by "tenant.hourly > $50 -> deny"`'),
    ),
  failed: (span: Span, message: string, note: string | null, help: string | null) =>
    finding("error", "expect")(span, message, help ?? undefined, note === null ? {} : { note }),
} as const;
