/**
 * The facts of a test's call as written, to facts as data.
 * In: `tenant = "acme", cost = $0.02`. Out: `CallFacts`, or null with a report for each that means nothing.
 * @module
 */
import type { AmountNode, FactNode, TestNode } from "./ast.ts";
import { type Context, refuse } from "./draft.ts";
import { amounts } from "./messages.ts";
import { DOLLAR, exact } from "./number.ts";
import { printAmount } from "./print.ts";
import type { CallFacts } from "./simulate-call.ts";
import { closest } from "./suggest.ts";
import { facts as say } from "./suite-messages.ts";
import { scopes } from "./vocabulary.ts";

type Kind = "text" | "money" | "tokens" | "retries" | "once" | "yes or no";

const own: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...scopes.filter((scope) => scope !== "global").map((scope) => [scope, "text"] as const),
  ["cost", "money"],
  ["tokens", "tokens"],
  ["input_tokens", "tokens"],
  ["output_tokens", "tokens"],
  ["max_tokens", "tokens"],
  ["retries", "retries"],
  ["repeats", "once"],
  ["runs", "once"],
  ["unpriced", "yes or no"],
  ["unmetered", "yes or no"],
]);

/** Every word that a call can be described by. */
export const factNames = (dimensions: Iterable<string>): readonly string[] => [...own.keys(), ...dimensions];

/** What the test says of its call, or null with every reason reported. */
export function readFacts(test: Pick<TestNode, "call">, context: Context): CallFacts | null {
  const texts = new Map<string, string>();
  const numbers = new Map<string, number>();
  let right = true;
  for (const fact of test.call) {
    const name = fact.name.text;
    const kind = context.names.dimensions.has(name) ? "text" : own.get(name);
    const twice = texts.has(name) || numbers.has(name);
    const value = twice
      ? refuse(context, say.twice(fact.name.span, name))
      : kind === undefined
        ? unknown(fact, context)
        : factValue(fact, kind, context);
    if (value === null) right = false;
    else if (typeof value === "string") texts.set(name, value);
    else numbers.set(name, value);
  }
  const tokens = tokensOf(test, numbers, context);
  return right && tokens !== null ? factsOf(texts, numbers, tokens) : null;
}

/** Facts that were read, as data; nothing was said of what is missing. */
function factsOf(
  texts: ReadonlyMap<string, string>,
  numbers: ReadonlyMap<string, number>,
  tokens: Pick<CallFacts, "inputTokens" | "outputTokens">,
): CallFacts {
  const flag = (name: string): boolean | null => (numbers.has(name) ? numbers.get(name) === 1 : null);
  const subject = Object.fromEntries([...texts].filter(([name]) => name !== "model" && name !== "provider"));
  return Object.freeze({
    subject: Object.freeze(subject),
    provider: texts.get("provider") ?? null,
    model: texts.get("model") ?? null,
    cost: numbers.get("cost") ?? null,
    ...tokens,
    maxTokens: numbers.get("max_tokens") ?? null,
    retries: numbers.get("retries") ?? 0,
    repeat: flag("repeats") ?? false,
    newRun: flag("runs") ?? true,
    unpriced: flag("unpriced"),
    unmetered: flag("unmetered") ?? false,
  });
}

function unknown(fact: FactNode, context: Context): null {
  const name = fact.name.text;
  if (name === "errors") return refuse(context, say.errors(fact.name.span));
  if (name === "calls" || name === "concurrency") return refuse(context, say.one(fact.name.span, name));
  return refuse(context, say.unknown(fact.name.span, name, closest(name, factNames(context.names.dimensions))));
}

/** Text, an amount in nano-dollars or counts, or 1 and 0 for yes and no. */
function factValue({ name, value }: FactNode, kind: Kind, context: Context): string | number | null {
  if (kind === "text") return value.kind === "String" ? value.value : refuse(context, say.text(value.span, name.text));
  if (kind === "yes or no") {
    const word = value.kind === "Ref" ? value.name.text : value.kind === "String" ? value.value : "";
    if (word === "yes" || word === "no") return word === "yes" ? 1 : 0;
    return refuse(context, say.yesOrNo(value.span, name.text));
  }
  if (value.kind === "String") return refuse(context, say.quoted(value.span, name.text, value.value));
  if (kind === "money") return money(name.text, value, context);
  const noun = kind === "tokens" ? "tokens" : name.text;
  if (value.kind !== "Count" || (value.unit !== null && value.unit !== noun)) {
    const example = kind === "tokens" ? "4K" : "1";
    return refuse(context, say.count(value.span, name.text, noun, `${name.text} = ${example}`));
  }
  const amount = exact(value.value, 1, noun, context);
  if (amount === null || kind !== "once" || amount <= 1) return amount;
  return refuse(context, say.once(value.span, name.text));
}

function money(name: string, value: AmountNode, context: Context): number | null {
  if (value.kind !== "Money") return refuse(context, say.money(value.span, name, printAmount(value)));
  if (value.currency !== "$") {
    return refuse(context, amounts.currency(value.span, value.currency, printAmount(value).slice(1)));
  }
  return exact(value.value, DOLLAR, null, context);
}

/** Input and output tokens; `tokens` alone is all input, and with one of the two it gives the other. */
function tokensOf(
  { call }: Pick<TestNode, "call">,
  numbers: ReadonlyMap<string, number>,
  context: Context,
): Pick<CallFacts, "inputTokens" | "outputTokens"> | null {
  const all = numbers.get("tokens");
  const input = numbers.get("input_tokens") ?? null;
  const output = numbers.get("output_tokens") ?? null;
  if (all === undefined) return { inputTokens: input, outputTokens: output };
  const rest = all - (input ?? 0) - (output ?? 0);
  const wrong = rest < 0 || (input !== null && output !== null && rest > 0);
  const node = call.find(({ name }) => name.text === "tokens");
  if (wrong && node !== undefined) return refuse(context, say.sum(node.span));
  return input === null
    ? { inputTokens: rest, outputTokens: output }
    : { inputTokens: input, outputTokens: output ?? rest };
}
