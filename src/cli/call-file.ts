/**
 * A call as JSON: facts like those of a test, `{"tenant": "acme", "model": "gpt-5", "input_tokens": 12000}`.
 * In: text. Out: the same as a test in the language, so that one checker reads both.
 * @module
 */
import { type Fields, fields, parse } from "../call/json.ts";
import type { TestNode } from "../policy/ast.ts";
import type { Finding } from "../policy/finding.ts";
import { factNames } from "../policy/suite-facts.ts";
import { parseSuite } from "../policy/syntax.ts";
import { scopes } from "../policy/vocabulary.ts";
import { CommandError, exit } from "./exit.ts";

/** What is not a fact of the call: what went before it, and when it is made. */
const ASIDE: readonly string[] = ["readings", "at"];

/** Builds the test that the JSON stands for; throws with every reason where it stands for none. */
export function testOf(text: string, name: string, dimensions: readonly string[]): TestNode {
  const json = fields(parse(text));
  if (json === null) throw bad(name, ["it is no JSON object"]);
  const lines = ['test "explain"', ...givensOf(json, name)];
  if (json.at !== undefined) lines.push(`  at ${quoted(json.at)}`);
  const facts = Object.entries(json).filter(([key]) => !ASIDE.includes(key));
  if (facts.length === 0) throw bad(name, ["it says nothing of the call"]);
  const unknown = facts
    .filter(([key]) => !/^[A-Za-z_][\w-]*$/.test(key))
    .map(([key]) => `"${key}" is no fact of a call`);
  if (unknown.length > 0) throw bad(name, unknown);
  lines.push(`  call ${facts.map(([key, value]) => `${key} = ${valueText(key, value, dimensions)}`).join(", ")}`);
  const { tests, findings } = parseSuite(`${lines.join("\n")}\n  expect allow\n`);
  const [test] = tests;
  if (test === undefined || findings.length > 0) throw bad(name, findings.map(told));
  return test;
}

/** One finding as a sentence: there is no line in a file that a caret could stand under. */
export const told = ({ message, help }: Finding): string =>
  help === undefined ? message : `${message}${message.endsWith("?") ? "" : ":"} ${help}`;

/** Ends the command: the JSON is not a call. */
export const bad = (name: string, reasons: readonly string[]): CommandError =>
  new CommandError(
    exit.usage,
    `${name} is not a call:\n${reasons.map((reason) => `  ${reason}`).join("\n")}\nSee \`budget-guard explain --help\`.`,
  );

function givensOf(json: Fields, name: string): readonly string[] {
  if (json.readings === undefined) return [];
  const readings = fields(json.readings);
  if (readings === null) throw bad(name, ['"readings" is an object: {"tenant.hourly": "$49.99"}']);
  return Object.entries(readings).map(([path, value]) => {
    if (!/^[A-Za-z_][\w.-]*( last \d+(\.\d+)?[a-z]+)?$/.test(path)) throw bad(name, [`"${path}" is no meter`]);
    return value === true ? `  given ${path}` : `  given ${path} = ${amountText(value, moneyIn(path))}`;
  });
}

/** A number without a unit is dollars where the path names no metric. */
const moneyIn = (path: string): boolean =>
  !/\b(tokens|input_tokens|output_tokens|calls|retries|repeats|errors|concurrency|runs)\b/.test(path);

const TEXTS: ReadonlySet<string> = new Set([...scopes, "unpriced", "unmetered"]);

function valueText(key: string, value: unknown, dimensions: readonly string[]): string {
  if (typeof value === "boolean") return key === "unpriced" || key === "unmetered" ? quoted(value ? "yes" : "no") : "?";
  const isText = TEXTS.has(key) || dimensions.includes(key) || !factNames(dimensions).includes(key);
  return isText ? quoted(value) : amountText(value, key === "cost");
}

/** `$0.02`, `12K`; a bare number of dollars gets its sign. What is no amount stays what it is, for the checker to refuse. */
function amountText(value: unknown, money: boolean): string {
  if (typeof value === "number") {
    const digits = value.toFixed(9).replace(/\.?0+$/, "");
    return money ? `$${digits}` : digits;
  }
  return typeof value === "string" && /^[$\d][\w.$%/]*( [a-z]+)?$|^unlimited$/.test(value) ? value : quoted(value);
}

const quoted = (value: unknown): string =>
  `"${String(typeof value === "object" ? JSON.stringify(value) : value)
    .replace(/\p{Cc}/gu, " ")
    .replace(/[\\"]/g, "\\$&")}"`;
