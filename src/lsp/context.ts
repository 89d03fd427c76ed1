/**
 * Where in a statement the cursor stands, from the text before it: what may be written there.
 * @module
 */
import { tokenize } from "../policy/tokens.ts";

/** What is expected. `words` are those before the cursor in this statement, the one being written left out. */
export type Place =
  | { readonly kind: "nothing" }
  /** The start of a line: a rule or a declaration. */
  | { readonly kind: "statement" }
  | { readonly kind: "subject" }
  /** After a dot. `before` are the words of the path so far. */
  | { readonly kind: "path"; readonly before: readonly string[] }
  /** After a subject: how it goes on. */
  | { readonly kind: "after-subject" }
  | { readonly kind: "amount" }
  | { readonly kind: "budget-name" }
  | { readonly kind: "duration" }
  | { readonly kind: "dimension" }
  /** After a dimension in a filter. */
  | { readonly kind: "test-of-dimension" }
  | { readonly kind: "action"; readonly storeDown: boolean }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "rule-name" }
  | { readonly kind: "fact" }
  | { readonly kind: "verdict" }
  /** In a string. `quoted` is true where the opening quote is there already. */
  | { readonly kind: "model"; readonly quoted: boolean }
  | { readonly kind: "value"; readonly dimension: string }
  | { readonly kind: "zone" }
  | { readonly kind: "placeholder" };

export interface Cursor {
  readonly place: Place;
  /** Where what is being written starts: this is replaced. */
  readonly start: number;
}

/** The place at the end of `before`: the text of one statement up to the cursor; `base` is where it starts in the file. */
export function placeAt(before: string, base: number, isSuite: boolean): Cursor {
  const end = base + before.length;
  const inComment = /(?:^|\n)(?:[^"#\n]|"(?:\\.|[^"\\\n])*")*#[^\n]*$/.test(before);
  if (inComment) return { place: { kind: "nothing" }, start: end };
  const tokens = tokenize(before, base);
  const last = tokens.at(-1);
  if (last?.kind === "open string") return { ...inString(last.text, tokens.map(({ text }) => text).slice(0, -1), end) };
  const writing = last !== undefined && last.kind === "word" && last.end === end ? last : null;
  const words = (writing === null ? tokens : tokens.slice(0, -1)).map(({ text }) => text);
  const typed = writing?.text ?? "";
  const dot = typed.lastIndexOf(".");
  if (writing !== null && dot !== -1 && /^[A-Za-z_]/.test(typed)) {
    const path = typed.slice(0, dot).split(".");
    return { place: { kind: "path", before: path }, start: writing.start + dot + 1 };
  }
  const start = writing?.start ?? end;
  // An amount is not completed, only its beginning is.
  if (/^[$\d]/.test(typed)) return { place: { kind: "nothing" }, start };
  const margin = before.slice(before.lastIndexOf("\n") + 1).length - typed.length === 0;
  return { place: isSuite ? inTest(words) : inRule(words, margin), start };
}

const declaring: ReadonlySet<string> = new Set(["import", "timezone", "dimension", "budget", "limit"]);

function inRule(words: readonly string[], margin: boolean): Place {
  const last = words.at(-1) ?? "";
  if (words.length === 0) return margin ? { kind: "statement" } : { kind: "nothing" };
  if (declaring.has(words[0] ?? "") && words[1] !== ":") return inDeclaration(words);
  const arrow = words.findLastIndex((word) => word === "->" || word === "=>");
  if (arrow !== -1) return inActions(words.slice(arrow + 1), words.includes("store.down"));
  const when = words.lastIndexOf("when");
  if (when !== -1) return inFilter(words.slice(when + 1));
  if (last === "shadow" || last === ":" || last === "and") return { kind: "subject" };
  return inThreshold(words);
}

function inThreshold(words: readonly string[]): Place {
  const last = words.at(-1) ?? "";
  if (last === "last") return { kind: "duration" };
  if (last === "of") return { kind: "budget-name" };
  if ([">", ">="].includes(last)) return { kind: "amount" };
  const compared = words.slice(Math.max(words.lastIndexOf("and"), words.lastIndexOf(":")) + 1);
  const done = compared.includes(">") || compared.includes(">=");
  if (!done) return compared.at(-2) === "last" ? { kind: "word", words: [">"] } : { kind: "after-subject" };
  return { kind: "word", words: ["and", "when", "->", ...(last.endsWith("%") ? ["of"] : [])] };
}

function inDeclaration(words: readonly string[]): Place {
  const [first = ""] = words;
  const last = words.at(-1) ?? "";
  const when = words.lastIndexOf("when");
  if (when !== -1) return inFilter(words.slice(when + 1));
  if (first === "timezone" && words.length === 1) return { kind: "zone" };
  if (first === "budget") {
    if (last === "=") return { kind: "amount" };
    if (last === "of") return { kind: "subject" };
    if (last === "last") return { kind: "duration" };
    if (words.includes("of")) return { kind: "word", words: ["when", "last"] };
    return words.length > 3 ? { kind: "word", words: ["of"] } : { kind: "nothing" };
  }
  if (first === "limit") {
    if (words.length === 2) return { kind: "word", words: ["by"] };
    if (last === "by") return { kind: "dimension" };
    if (last === "else") return { kind: "amount" };
    if (last === "from") return { kind: "word", words: ["store"] };
    if (last === ":") return { kind: "amount" };
    if (words.length === 4) return { kind: "word", words: ["from", "{"] };
    if (last === "}" || words.includes("from")) return { kind: "word", words: ["else"] };
  }
  return { kind: "nothing" };
}

function inFilter(words: readonly string[]): Place {
  const last = words.at(-1) ?? "";
  if (last === "" || ["and", "or", "not", "(", "&&", "||", "!"].includes(last)) return { kind: "dimension" };
  const previous = words.at(-2) ?? "";
  if (["==", "!=", "=", "matches", "["].includes(last) || last === ",") return { kind: "nothing" };
  if (last === "is") return { kind: "word", words: ["missing"] };
  if (last === "in") return { kind: "nothing" };
  if (last.startsWith('"') || last === "]" || last === ")" || last === "missing" || previous === "is") {
    return { kind: "word", words: ["and", "or", "->"] };
  }
  return { kind: "test-of-dimension" };
}

function inActions(words: readonly string[], storeDown: boolean): Place {
  const last = words.at(-1) ?? "";
  const previous = words.at(-2) ?? "";
  if (last === "" || last === ",") return { kind: "action", storeDown };
  if (last === "route") return { kind: "word", words: ["to"] };
  if (last === "to" && previous === "route") return { kind: "model", quoted: false };
  if (["hold", "backoff", "for"].includes(last)) return { kind: "duration" };
  if (last === "cap") return { kind: "amount" };
  if (last === "deny") return { kind: "word", words: ["for"] };
  return { kind: "nothing" };
}

function inTest(words: readonly string[]): Place {
  const last = words.at(-1) ?? "";
  if (words.length === 0) return { kind: "word", words: ["test"] };
  if (last === "given") return { kind: "subject" };
  if (last === "expect") return { kind: "verdict" };
  if (last === "by") return { kind: "rule-name" };
  if (last === "last") return { kind: "duration" };
  if (last === "test" || last === "at" || last === "=") return { kind: "nothing" };
  const clause = words.findLast((word) => ["given", "at", "call", "expect"].includes(word)) ?? "test";
  if (last === "call" || (last === "," && clause === "call")) return { kind: "fact" };
  const next = {
    test: ["given", "at", "call"],
    given: ["given", "at", "call"],
    at: ["given", "call"],
    call: ["expect"],
  };
  if (clause === "expect") return { kind: "word", words: ["by"] };
  return { kind: "word", words: next[clause as keyof typeof next] ?? [] };
}

function inString(open: string, words: readonly string[], end: number): Cursor {
  const typed = open.slice(1);
  const start = end - typed.length;
  const brace = /\{([\w-]*)$/.exec(typed);
  const last = words.at(-1) ?? "";
  if (last === "timezone") return { place: { kind: "zone" }, start };
  if (last === "to" && words.at(-2) === "route") return { place: { kind: "model", quoted: true }, start };
  const compared = comparedDimension(words);
  if (compared === "model") return { place: { kind: "model", quoted: true }, start };
  if (compared !== null) return { place: { kind: "value", dimension: compared }, start };
  if (brace !== null) return { place: { kind: "placeholder" }, start: end - (brace[1] ?? "").length };
  return { place: { kind: "nothing" }, start };
}

/** The dimension that a string is compared with: `model == "`, `model in ["a", "`. */
function comparedDimension(words: readonly string[]): string | null {
  const list = words.lastIndexOf("[");
  const before = list !== -1 && !words.slice(list).includes("]") ? words.slice(0, list) : words;
  const operator = before.at(-1) ?? "";
  const wanted = list !== -1 && before !== words ? ["in"] : ["==", "!=", "=", "matches"];
  return wanted.includes(operator) ? (before.at(-2) ?? null) : null;
}
