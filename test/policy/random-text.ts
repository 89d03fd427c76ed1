/**
 * Policies and suites at random, as people might lay them out: odd spaces, line breaks and comments wherever the
 * grammar lets them stand.
 * @module
 */
import fc from "fast-check";

/** A word, or the place of white space: `?` where it may be missing, ` ` where it may not. */
type Part = string | { readonly gap: "?" | " " };
type Parts = readonly Part[];

const may: Part = { gap: "?" };
const must: Part = { gap: " " };

const reserved = new Set(
  "and or not when last in is of for by else matches unlimited shadow import timezone dimension budget limit test given at call expect from".split(
    " ",
  ),
);
const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}[a-z0-9_]$/).filter((text) => !reserved.has(text));
const string = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.constantFrom(
      "acme",
      "# no comment",
      "## no doc",
      "gpt-5-mini*",
      "a long sentence about a budget that is spent",
      "",
    ),
  )
  // What text processors write is refused before the parser.
  .map((text) => `"${text.replace(/[\\"\p{C}\r\n]/gu, "")}"`);
const inBrackets = (parts: Parts): Parts => ["(", may, ...parts, may, ")"];
const duration = fc.constantFrom("30s", "15m", "1h", "7d", "500ms");
const number = fc.constantFrom("1", "20", "0.5", "50K", "1_000", "4.5K", "2M");
const amount: fc.Arbitrary<Parts> = fc.oneof(
  number.map((text) => [`$${text}`]),
  number.map((text) => [`$${text}/h`]),
  number.map((text) => [text]),
  number.map((text) => [text, must, "tokens"]),
  number.map((text) => [text, may, "%"]),
  fc.tuple(number, name).map(([text, of]) => [text, may, "%", must, "of", must, of]),
  fc.constant(["unlimited"]),
  name.map((text) => [text]),
);
/** What a test can say of one call. */
const plain: fc.Arbitrary<Parts> = fc.oneof(
  number.map((text) => [`$${text}`]),
  number.map((text) => [text]),
  number.map((text) => [text, must, "tokens"]),
);
const subject: fc.Arbitrary<Parts> = fc.oneof(
  fc.array(name, { minLength: 1, maxLength: 3 }).map((path) => [path.join(".")]),
  fc.tuple(name, duration).map(([path, last]) => [path, must, "last", must, last]),
);
const threshold = fc
  .tuple(subject, fc.constantFrom(">", ">="), amount)
  .map(([left, op, right]): Parts => [...left, may, op, may, ...right]);
const condition = fc.oneof({ weight: 4, arbitrary: threshold }, subject);
const match: fc.Arbitrary<Parts> = fc.oneof(
  fc.tuple(name, fc.constantFrom("==", "!="), string).map(([path, op, value]) => [path, may, op, may, value]),
  fc.tuple(name, string).map(([path, value]) => [path, must, "matches", may, value]),
  name.map((path) => [path, must, "is", must, "missing"]),
  fc.tuple(name, fc.array(string, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([path, values, comma]) => [
    ...[path, must, "in", may, "[", may],
    ...joined(
      values.map((value) => [value]),
      [may, ",", may],
    ),
    ...(comma ? [may, ","] : []),
    ...[may, "]"],
  ]),
);
const { filter } = fc.letrec<{ filter: Parts }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    match,
    fc
      .tuple(fc.constantFrom<Parts>(["not", must], ["!", may]), tie("filter"))
      .map(([not, of]) => [...not, ...inBrackets(of)]),
    tie("filter").map(inBrackets),
    fc
      .tuple(fc.constantFrom("and", "or", "&&", "||"), fc.array(tie("filter"), { minLength: 2, maxLength: 4 }))
      .map(([word, of]) => joined(of.map(inBrackets), [must, word, must])),
  ),
}));
const message = fc.option(
  string.map((text): Parts => [may, text]),
  { nil: [] as Parts },
);
const action: fc.Arbitrary<Parts> = fc.oneof(
  fc.tuple(fc.constantFrom("deny", "warn", "pause"), message).map(([word, say]) => [word, ...say]),
  fc.tuple(duration, message).map(([ms, say]) => ["deny", must, "for", must, ms, ...say]),
  duration.map((ms) => ["hold", must, ms]),
  duration.map((ms) => ["backoff", must, ms]),
  string.map((model) => ["route", must, "to", must, model]),
  amount.map((tokens) => ["cap", must, ...tokens]),
  fc.constantFrom(["allow"], ["local"]),
  fc.tuple(name, string).map(([word, given]) => [word, must, given]),
);
const when = filter.map((parts): Parts => [must, "when", must, ...parts]);
const optionally = (parts: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> => fc.oneof(fc.constant([]), parts);

const rule = fc
  .record({
    shadow: fc.constantFrom<Parts>([], [], ["shadow", must]),
    label: optionally(name.map((text) => [text, may, ":", may])),
    conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
    when: optionally(when),
    arrow: fc.constantFrom("->", "->", "=>"),
    actions: fc.array(action, { minLength: 1, maxLength: 3 }),
  })
  .map(
    ({ shadow, label, conditions, when: gate, arrow, actions }): Parts => [
      ...[...shadow, ...label, ...joined(conditions, [must, "and", must]), ...gate],
      ...[must, arrow, may, ...joined(actions, [may, ",", may])],
    ],
  );
const rows = fc
  .array(fc.tuple(string, amount, fc.boolean()), { maxLength: 4 })
  .map(
    (all): Parts =>
      all.flatMap(
        ([key, value, comma]): Parts => [
          key,
          may,
          ":",
          may,
          ...value,
          comma ? may : must,
          ...(comma ? [",", may] : []),
        ],
      ),
  );
const source: fc.Arbitrary<Parts> = fc.oneof(
  rows.map((parts) => ["{", may, ...parts, "}"]),
  fc.constant(["from", must, "store"]),
  string.map((file) => ["from", must, file]),
);
const statement: fc.Arbitrary<Parts> = fc.oneof(
  { weight: 5, arbitrary: rule },
  string.map((path) => ["import", must, path]),
  string.map((zone) => ["timezone", must, zone]),
  fc.array(name, { minLength: 1, maxLength: 12 }).map((names) => [
    "dimension",
    must,
    ...joined(
      names.map((one) => [one]),
      [may, ",", may],
    ),
  ]),
  fc
    .tuple(name, amount, subject, optionally(when))
    .map(([word, much, whose, gate]) => [
      "budget",
      must,
      word,
      must,
      "=",
      may,
      ...much,
      must,
      "of",
      must,
      ...whose,
      ...gate,
    ]),
  fc
    .tuple(name, name, source, optionally(amount.map((parts) => [must, "else", must, ...parts])))
    .map(([word, by, from, otherwise]) => ["limit", must, word, must, "by", must, by, must, ...from, ...otherwise]),
);
const test: fc.Arbitrary<Parts> = fc
  .record({
    title: string,
    givens: fc.array(fc.tuple(subject, plain), { maxLength: 3 }),
    at: fc.boolean(),
    facts: fc.array(
      fc.tuple(
        name,
        fc.oneof(
          string.map((text): Parts => [text]),
          plain,
        ),
      ),
      { minLength: 1, maxLength: 6 },
    ),
    verdict: fc.constantFrom("deny", "allow", "pause"),
    by: optionally(name.map((text) => [must, "by", must, text])),
  })
  .map(({ title, givens, at, facts, verdict, by }) => [
    ...["test", must, title, must],
    ...givens.flatMap(([whose, much]): Parts => ["given", must, ...whose, may, "=", may, ...much, must]),
    ...(at ? ["at", must, '"2026-04-19T03:47:00Z"', must] : []),
    ...["call", must],
    ...joined(
      facts.map(([fact, value]) => [fact, may, "=", may, ...value]),
      [may, ",", may],
    ),
    ...[must, "expect", must, verdict, ...by],
  ]);

function joined(all: readonly Parts[], by: Parts): Parts {
  return all.flatMap((parts, index) => (index === 0 ? parts : [...by, ...parts]));
}

const comment = fc.constantFrom("# why", "#", "## not a doc", "#!", '# "quoted', "# trailing   ", "####### bar");
const wide = fc.oneof(
  { weight: 12, arbitrary: fc.constant(" ") },
  { weight: 2, arbitrary: fc.constantFrom("  ", "\t", " \t ") },
  { weight: 1, arbitrary: fc.constantFrom("\n  ", "\n\n    ", "\n\t") },
  { weight: 1, arbitrary: comment.map((text) => ` ${text}\n  `) },
  { weight: 1, arbitrary: fc.tuple(comment, comment).map(([one, two]) => `\n  ${one}\n\n    ${two}\n  `) },
);
const narrow = fc.oneof({ weight: 2, arbitrary: fc.constant("") }, { weight: 3, arbitrary: wide });

/** The parts with white space in their gaps. */
function spaced(parts: Parts): fc.Arbitrary<string> {
  const texts = parts.map((part) => (typeof part === "string" ? fc.constant(part) : part.gap === " " ? wide : narrow));
  return fc.tuple(...texts).map((all) => all.join(""));
}

const doc = fc.constantFrom("", "", "## Why.\n", "##\n##  Two lines, oddly spaced.\n", "##tight\n");
const between = fc.constantFrom(
  ...[
    "",
    "",
    "",
    "\n",
    "\n\n\n",
    "# free\n",
    "  # indented\n",
    "  ## indented\n",
    "## free\n\n",
    " \t\n# a\n\n\n## b\n\n",
  ],
);
const ending = fc.constantFrom("\n", "\n", "\n", "  \n", " # trailing\n", "## trailing\n", " ### bar\n");

const fileOf = (one: fc.Arbitrary<Parts>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(
        fc.tuple(between, doc, one.chain(spaced), ending).map((all) => all.join("")),
        { maxLength: 6 },
      ),
      between,
      fc.constantFrom("\n", "\n", "\r\n"),
    )
    .map(([statements, rest, newline]) => `${statements.join("")}${rest}`.replaceAll("\n", newline));

/** The text of a policy that can be read, whatever it means. */
export const policyText = fileOf(statement);

/** The text of a test suite that can be read. */
export const suiteText = fileOf(test);
