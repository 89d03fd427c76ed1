/**
 * The parser's complaint in the author's terms.
 * @module
 */
import type { PeggyError, Span } from "./ast.ts";
import { type Finding, syntax } from "./finding.ts";
import type { Token } from "./tokens.ts";

/** How each declaration reads, for those that went wrong. */
const forms: ReadonlyMap<string, string> = new Map([
  ["import", 'import "./other.budget"'],
  ["timezone", 'timezone "UTC"'],
  ["dimension", "dimension plan, workflow"],
  ["budget", "budget research = $6K of feature.monthly"],
  ["limit", 'limit quota by plan { "free": $5 } else $1'],
]);

/** One sentence for a statement that could not be parsed; `offset` is where the parser gave up. */
export function reword(tokens: readonly Token[], offset: number, expected: PeggyError["expected"]): Finding {
  const [first, second] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined)
    return syntax({ start: offset, end: offset }, "nothing can be read here", "delete this line");
  const end = { start: last.end, end: last.end };
  const form = forms.get(first.text);
  if (form !== undefined && second?.text !== ":" && second?.text !== ">") {
    return offset >= last.end
      ? syntax(end, `this \`${first.text}\` stops short`, `it reads \`${form}\``)
      : syntax(spanOf(tokenAt(tokens, offset)), unexpected(tokens, offset), `it reads \`${form}\``);
  }
  if (first.text === "if" && second?.text !== ":") {
    return syntax(spanOf(first), "a rule has no `if`", 'it reads `tenant.daily > $5 when feature == "chat" -> deny`');
  }
  const arrow = tokens.findIndex(({ text }) => text === "->" || text === "=>");
  const head = arrow === -1 ? tokens : tokens.slice(0, arrow);
  const when = head.findIndex(({ text }) => text === "when");
  const or = (when === -1 ? head : head.slice(0, when)).find(({ text }) => text === "or" || text === "||");
  if (or !== undefined) {
    return syntax(
      { start: or.start, end: or.start + 1 },
      "thresholds are joined with `and` only",
      "write two rules: two rules are an `or`",
    );
  }
  if (arrow === -1 && offset >= last.end) {
    return syntax(end, "this rule has no `->`", "a rule reads `subject > amount -> action`");
  }
  if (arrow !== -1 && arrow === tokens.length - 1) {
    return syntax(end, "this rule has no action", "say what happens: `-> deny`, `-> warn`, `-> pause`, …");
  }
  if (offset >= last.end) return syntax(end, "this statement stops short", wanted(expected));
  const at = tokenAt(tokens, offset);
  return syntax(spanOf(at), unexpected(tokens, offset), slip(tokens, tokens.indexOf(at), arrow) ?? wanted(expected));
}

/** What is meant by those who write it as other languages do; null where it is none of that. */
function slip(tokens: readonly Token[], index: number, arrow: number): string | null {
  const text = tokens[index]?.text ?? "";
  const before = tokens[index - 1]?.text ?? "";
  if (before === "deny" && /^\d/.test(text)) return `write \`deny for ${text}\``;
  if (/^([$€£]|usd|eur|dollars?)$/i.test(text) && /^\$?\d/.test(before)) {
    return `money is in US dollars: write \`$${before.replace("$", "")}\``;
  }
  if (text === "when" && arrow !== -1 && index > arrow) {
    return 'a filter stands before the arrow: `tenant.daily > $5 when feature == "chat" -> deny`';
  }
  if (text === "per") return `write \`${before}.hourly\`, \`${before}.daily\` or \`${before} last 15m\``;
  return null;
}

export const unexpected = (tokens: readonly Token[], offset: number): string =>
  `\`${tokenAt(tokens, offset).text}\` was not expected here`;

export const spanOf = ({ start, end }: Token): Span => ({ start, end });

export function tokenAt(tokens: readonly Token[], offset: number): Token {
  const found = tokens.find((token) => token.end > offset);
  if (found === undefined) throw new RangeError("no token at this offset");
  return found;
}

export function wanted(expected: PeggyError["expected"]): string {
  const words = new Set<string>();
  for (const { type, description } of expected) {
    if (type === "other" && description !== undefined && description !== "space") words.add(description);
  }
  for (const { type, text } of expected) {
    if (type === "literal" && text !== undefined && text.trim() !== "") words.add(`\`${text}\``);
  }
  const all = [...words].filter((word) => !["`#`", "`##`", "`&&`", "`||`", "end of line"].includes(word)).slice(0, 5);
  return all.length === 0
    ? "a statement starts at the beginning of its line; an indented line continues the one above"
    : `expected ${all.join(" or ")}`;
}
