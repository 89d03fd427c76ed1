import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar } from "vscode-textmate";
import * as vocabulary from "../../src/policy/vocabulary.ts";

const root = join(import.meta.dirname, "..", "..");
const path = join(root, "editors", "vscode", "syntaxes", "budget.tmLanguage.json");

interface Token {
  readonly text: string;
  /** The innermost, or null where there is none but the file's own. */
  readonly scope: string | null;
  readonly scopes: readonly string[];
}

let grammar: IGrammar;

beforeAll(async () => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text: string) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, "utf8"), path),
  });
  const loaded = await registry.loadGrammar("source.budget");
  if (loaded === null) throw new Error("no grammar");
  grammar = loaded;
});

/** Every token of the text, as an editor colours it. */
function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  let state = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      const own = scopes.filter((scope) => scope !== "source.budget").map((scope) => scope.replace(/\.budget$/, ""));
      found.push({ text: line.slice(startIndex, endIndex), scope: own.at(-1) ?? null, scopes: own });
    }
  }
  return found;
}

/** The scope of the first token that is this word. */
const scopeOf = (text: string, word: string): string | null | undefined =>
  tokens(text).find((token) => token.text.trim() === word)?.scope;

const lines: readonly (readonly [line: string, scopes: Readonly<Record<string, string>>])[] = [
  [
    "shadow tight-er: run.calls >= 25 -> deny",
    {
      shadow: "storage.modifier.shadow",
      "tight-er": "entity.name.label",
      ":": "punctuation.separator.label",
      run: "support.type.scope",
      calls: "support.variable.metric",
      ">=": "keyword.operator.comparison",
      "25": "constant.numeric.count",
      "->": "keyword.operator.arrow",
      deny: "support.function.action",
    },
  ],
  [
    "cap: run.calls > 20 -> deny for 10m",
    {
      cap: "entity.name.label",
      for: "keyword.other",
      "10": "constant.numeric.duration",
      m: "keyword.other.unit.duration",
    },
  ],
  [
    "tenant-x.daily > $0.50 -> pause",
    {
      "tenant-x": "variable.other",
      daily: "support.constant.window",
      $: "keyword.other.unit.currency",
      "0.50": "constant.numeric.money",
    },
  ],
  ["a.tokens last 15m > 50K tokens -> hold 30s", { "50K": "constant.numeric.count", last: "keyword.other" }],
  ["tenant last 5m > $500/h -> backoff 500ms", { "500": "constant.numeric.rate", ms: "keyword.other.unit.duration" }],
  [
    "research > 95% -> cap 2K tokens",
    {
      research: "variable.other",
      "95": "constant.numeric.percent",
      "%": "keyword.other.unit.percent",
      cap: "support.function.action",
    },
  ],
  [
    'budget research = $6K of feature.monthly when feature == "research" # why',
    {
      budget: "storage.type.declaration",
      research: "entity.name.type",
      "=": "keyword.operator.assignment",
      of: "keyword.other",
      when: "keyword.control.when",
      "==": "keyword.operator.comparison",
      feature: "support.type.scope",
    },
  ],
  [
    "limit plan-quota by plan from store else unlimited",
    {
      limit: "storage.type.declaration",
      "plan-quota": "entity.name.type",
      by: "keyword.other",
      plan: "variable.other",
      from: "keyword.other",
      else: "keyword.other",
      unlimited: "constant.language.unlimited",
    },
  ],
  [
    "dimension workflow, model-family # mine",
    {
      dimension: "storage.type.declaration",
      workflow: "entity.name.type",
      "model-family": "entity.name.type",
      "#": "punctuation.definition.comment",
    },
  ],
  ['import "./org.budget"', { import: "keyword.control.import", "./org.budget": "string.quoted.double" }],
  ['timezone "UTC"', { timezone: "storage.type.declaration" }],
  [
    'when not (model in ["o1-pro*"]) or user is missing -> route to "m"',
    {
      not: "keyword.operator.logical",
      "(": "punctuation.section",
      in: "keyword.operator.word",
      "*": "keyword.operator.wildcard",
      missing: "keyword.operator.word",
      route: "support.function.action",
      to: "keyword.other",
    },
  ],
  [
    'month > 95% -> deny "Back on {reset}.\\n"',
    {
      "{": "punctuation.definition.placeholder",
      reset: "constant.other.placeholder",
      "\\n": "constant.character.escape",
      "Back on": "string.quoted.double",
    },
  ],
  [
    '  call tenant = "acme", cost = $0.02',
    { call: "keyword.control.test", tenant: "support.type.scope", cost: "support.variable.metric" },
  ],
  ["  call.retries > 2 -> deny", { call: "support.type.scope" }],
  ["call.unpriced -> deny", { call: "support.type.scope", unpriced: "support.constant.flag" }],
  [
    "store.down -> local",
    { store: "support.type.scope", down: "support.constant.flag", local: "support.function.action" },
  ],
  ["  given tenant.hourly = $49.99", { given: "keyword.control.test" }],
  ['  at "2026-04-19T03:47:00Z"', { at: "keyword.control.test" }],
  [
    "  expect deny by run-cost",
    {
      expect: "keyword.control.test",
      deny: "support.function.action",
      by: "keyword.other",
      "run-cost": "variable.other",
    },
  ],
  [
    'test "one" given run.repeats = 4 call run = "r" expect pause',
    {
      test: "storage.type.declaration",
      given: "keyword.control.test",
      call: "keyword.control.test",
      expect: "keyword.control.test",
    },
  ],
  ["tenant.daily > €50 => deny", { "€50": "invalid.illegal.currency", "=>": "invalid.deprecated.operator" }],
  ['  "pro": $200,', { ":": "punctuation.separator", ",": "punctuation.separator" }],
];

describe("the TextMate grammar", () => {
  it.each(lines)("%s", (line, scopes) => {
    const found = Object.fromEntries(Object.keys(scopes).map((word) => [word, scopeOf(line, word)]));
    expect(found).toEqual(scopes);
  });

  it("tells doc comments from comments, and reads nothing in either", () => {
    expect(tokens('## Why "tenant" # not')[0]?.scopes).toEqual([
      "comment.line.documentation",
      "punctuation.definition.comment",
    ]);
    expect(tokens("  ## why")[1]?.scopes[0]).toBe("comment.line.number-sign");
    expect(tokens("deny # tenant.daily")).toHaveLength(4);
  });

  it("marks amounts that cannot be read", () => {
    for (const amount of ["200k", "$-5", "$50q", "1,000"]) {
      expect(scopeOf(`tenant.daily > ${amount} -> deny`, amount)).toBe("invalid.illegal.amount");
    }
  });

  it("ends an open string with its line", () => {
    expect(scopeOf('tenant.daily > $5 -> deny "open\nrun.calls > 5 -> deny', "run")).toBe("support.type.scope");
  });

  const words: readonly (readonly [
    kind: string,
    words: Iterable<string>,
    line: (word: string) => string,
    scope: RegExp,
  ])[] = [
    [
      "scope",
      [...vocabulary.scopes, ...vocabulary.subjects],
      (word) => `${word}.daily > $5 -> deny`,
      /^support\.type\.scope$/,
    ],
    ["metric", vocabulary.metrics.keys(), (word) => `x.${word}.daily > 5 -> deny`, /^support\.variable\.metric$/],
    ["window", vocabulary.windows, (word) => `x.${word} > $5 -> deny`, /^support\.constant\.window$/],
    ["flag", vocabulary.callFlags, (word) => `call.${word} -> deny`, /^support\.constant\.flag$/],
    ["action", vocabulary.actions, (word) => `x.daily > $5 -> ${word}`, /^support\.function\.action$/],
    [
      "keyword",
      vocabulary.keywords,
      (word) =>
        ["import", "timezone", "dimension", "budget", "limit"].includes(word)
          ? `${word} x`
          : word === "shadow"
            ? "shadow x.daily > 5"
            : `x ${word} y`,
      /^(keyword|storage|constant\.language)\./,
    ],
    [
      "unit of time",
      vocabulary.durations.keys(),
      (word) => `x last 15${word} > $5`,
      /^keyword\.other\.unit\.duration$/,
    ],
    ["placeholder", vocabulary.placeholders, (word) => `x -> deny "{${word}}"`, /^constant\.other\.placeholder$/],
  ];
  it.each(
    words.flatMap(([kind, all, line, scope]) => [...all].map((word) => [kind, word, line(word), scope] as const)),
  )("knows the %s `%s`", (_, word, line, scope) => {
    expect(scopeOf(line, word)).toMatch(scope);
  });

  const policies = join(root, "policies");
  const files = readdirSync(policies, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".budget"));

  it.each(files)("leaves nothing of %s without a scope", (file) => {
    const bare = tokens(readFileSync(join(policies, file), "utf8")).filter(
      ({ scope, text }) => scope === null && text.trim() !== "",
    );
    expect(bare).toEqual([]);
  });
});
