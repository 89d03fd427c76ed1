import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StatementNode, TestNode } from "../../src/policy/ast.ts";
import { printPolicy, printSuite } from "../../src/policy/print.ts";
import { parsePolicy, parseSuite } from "../../src/policy/syntax.ts";

const root = join(import.meta.dirname, "..", "..");
const folders = ["policies", "policies/examples"];
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .map((name) => join(folder, name)),
);

/** The tree without positions. */
const bare = (statements: readonly StatementNode[] | readonly TestNode[]): unknown =>
  JSON.parse(JSON.stringify(statements, (key, value) => (key === "span" ? undefined : value)));

describe("printing a tree", () => {
  it.each(files)("%s comes back as the same tree, and printing it again changes nothing", (file) => {
    const { statements, findings } = parsePolicy(readFileSync(join(root, file), "utf8"));
    expect(findings).toEqual([]);
    expect(statements.length).toBeGreaterThan(0);
    const printed = printPolicy(statements);
    const again = parsePolicy(printed);
    expect(again.findings).toEqual([]);
    expect(bare(again.statements)).toEqual(bare(statements));
    expect(printPolicy(again.statements)).toBe(printed);
  });

  it("has the 25 programs of the language's definition", () => {
    expect(files.filter((file) => /\/\d\d-/.test(file))).toHaveLength(25);
  });

  it("gives any tree back", () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 4 }), (statements) => {
        const printed = printPolicy(statements as unknown as StatementNode[]);
        const { statements: parsed, findings } = parsePolicy(printed);
        expect(findings, printed).toEqual([]);
        expect(bare(parsed), printed).toEqual(bare(statements as unknown as StatementNode[]));
      }),
      { numRuns: 600 },
    );
  });

  it("gives any test back", () => {
    fc.assert(
      fc.property(fc.array(test, { maxLength: 3 }), (tests) => {
        const printed = printSuite(tests as unknown as TestNode[]);
        const { tests: parsed, findings } = parseSuite(printed);
        expect(findings, printed).toEqual([]);
        expect(bare(parsed), printed).toEqual(bare(tests as unknown as TestNode[]));
      }),
      { numRuns: 300 },
    );
  });
});

// ------------------------------------------------------------------- trees at random, as the parser would make them

const reserved = new Set("and or not when last in is of for by else matches unlimited shadow".split(" "));
const keywords = new Set("import timezone dimension budget limit test".split(" "));
const nothing = fc.constant(null);
const maybe = <T>(some: fc.Arbitrary<T>) => fc.oneof(nothing, some);

const name = fc
  .stringMatching(/^[a-z_][a-z0-9_-]{0,8}[a-z0-9_]$/)
  .filter((text) => !reserved.has(text) && !keywords.has(text))
  .map((text) => ({ kind: "Name", text }));
const string = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .map((value) => ({ kind: "String", value: value.replaceAll("\r", "") }));
const number = fc
  .tuple(
    fc.constantFrom("", "", "", "-"),
    fc.oneof(fc.nat(9_999).map(String), fc.constantFrom("1_000", "1,000")),
    fc.constantFrom("", ".5", ".25"),
    fc.constantFrom("", "K", "M", "B", "k", "tk"),
  )
  .map(([sign, whole, decimals, scale]) => ({ kind: "Number", text: `${sign}${whole}${decimals}`, scale }));
const duration = fc
  .tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom("ms", "s", "m", "h", "d", "w"))
  .map(([value, unit]) => ({ kind: "Duration", value: String(value), unit }));
const amount = fc.oneof(
  fc.record({ kind: fc.constant("Money"), currency: fc.constantFrom("$", "€", "£", "¥"), value: number }),
  fc.record({
    kind: fc.constant("Rate"),
    currency: fc.constantFrom("$", "€", null),
    value: number,
    per: fc.constantFrom("h", "m", "d", "day"),
  }),
  fc.record({ kind: fc.constant("Percent"), value: number, of: maybe(name) }),
  fc.record({ kind: fc.constant("Count"), value: number, unit: maybe(fc.constantFrom("tokens", "calls")) }),
  fc.constant({ kind: "Unlimited" }),
  name.map((ref) => ({ kind: "Ref", name: ref })),
);
const path = fc.array(name, { minLength: 1, maxLength: 3 });
const subject = fc.record({ kind: fc.constant("Subject"), path, last: maybe(duration) });
const operator = (...texts: string[]) => fc.constantFrom(...texts).map((text) => ({ kind: "Operator", text }));
const condition = fc.oneof(
  fc.record({ kind: fc.constant("Threshold"), subject, op: operator(">", ">=", "<", "<=", "==", "!=", "="), amount }),
  subject.map((flag) => ({ kind: "Flag", subject: flag })),
);
const match = fc.oneof(
  fc.record({
    kind: fc.constant("Match"),
    path,
    op: fc.constantFrom("==", "!=", "=", "matches"),
    values: fc.tuple(string),
  }),
  fc.record({
    kind: fc.constant("Match"),
    path,
    op: fc.constant("in"),
    values: fc.array(string, { minLength: 1, maxLength: 3 }),
  }),
  path.map((missing) => ({ kind: "Match", path: missing, op: "missing", values: [] })),
  fc.record({ kind: fc.constant("Compare"), path, op: operator(">", ">=", "<", "<=", "==", "!=", "="), amount }),
);
const { filter } = fc.letrec((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    match,
    tie("filter").map((of) => ({ kind: "Not", of })),
    fc
      .tuple(fc.constantFrom("And", "Or"), fc.array(tie("filter"), { minLength: 2, maxLength: 3 }))
      .map(([kind, of]) => ({ kind, of })),
  ),
}));
const action = fc.oneof(
  fc.record({ kind: fc.constant("Deny"), for: maybe(duration), message: maybe(string) }),
  fc.record({ kind: fc.constantFrom("Pause", "Warn"), message: maybe(string) }),
  fc.record({ kind: fc.constant("Hold"), upTo: duration }),
  fc.record({ kind: fc.constant("Backoff"), base: duration }),
  fc.record({ kind: fc.constant("Route"), model: string }),
  fc.record({ kind: fc.constant("Cap"), amount }),
  fc.constantFrom({ kind: "Allow" }, { kind: "Local" }),
  fc.record({
    kind: fc.constant("UnknownAction"),
    name: fc.constantFrom("block", "throttle").map((text) => ({ kind: "Name", text })),
    given: maybe(fc.oneof(duration, string)),
  }),
);
const doc = maybe(fc.constantFrom("One line.", "Two\nlines.", "With\n\na gap."));
const rule = fc
  .record({
    kind: fc.constant("Rule"),
    shadow: fc.boolean(),
    name: maybe(name),
    conditions: fc.array(condition, { maxLength: 3 }),
    when: maybe(filter),
    arrow: operator("->", "=>"),
    actions: fc.array(action, { minLength: 1, maxLength: 3 }),
    doc,
  })
  .filter((node) => node.conditions.length > 0 || node.when !== null);
const row = fc.record({ kind: fc.constant("Row"), key: string, amount });
const source = fc.oneof(
  fc.array(row, { maxLength: 3 }).map((rows) => ({ kind: "Table", rows })),
  fc.constant({ kind: "FromStore" }),
  string.map((file) => ({ kind: "FromFile", path: file })),
);
const statement = fc.oneof(
  rule,
  fc.record({ kind: fc.constant("Import"), path: string, doc }),
  fc.record({ kind: fc.constant("Timezone"), zone: string, doc }),
  fc.record({ kind: fc.constant("Dimension"), names: fc.array(name, { minLength: 1, maxLength: 3 }), doc }),
  fc.record({ kind: fc.constant("Budget"), name, amount, subject, when: maybe(filter), doc }),
  fc.record({ kind: fc.constant("Limit"), name, by: name, source, otherwise: maybe(amount), doc }),
);
const flag = fc.constantFrom(["store", "down"], ["call", "unpriced"]).map((words) => ({
  kind: "Subject",
  path: words.map((text) => ({ kind: "Name", text })),
  last: null,
}));
const plain = fc.oneof(
  number.map((value) => ({ kind: "Money", currency: "$", value })),
  fc.record({ kind: fc.constant("Count"), value: number, unit: maybe(fc.constantFrom("tokens", "calls")) }),
);
const test = fc.record({
  kind: fc.constant("Test"),
  title: string,
  givens: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("Given"), subject, amount }),
      flag.map((given) => ({ kind: "Given", subject: given, amount: null })),
    ),
    { maxLength: 3 },
  ),
  at: maybe(string),
  call: fc.array(fc.record({ kind: fc.constant("Fact"), name, value: fc.oneof(string, plain) }), {
    minLength: 1,
    maxLength: 3,
  }),
  expect: fc.record({
    kind: fc.constant("Expect"),
    verdict: fc.constantFrom("allow", "warn", "deny", "pause", "hold", "backoff", "route", "cap"),
    by: maybe(fc.oneof(name, string)),
  }),
  doc,
});
