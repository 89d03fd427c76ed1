/**
 * The parser's complaint in the author's terms.
 * @module
 */
import type { PeggyError, Span } from "./ast.ts";
import { type Finding, syntax } from "./finding.ts";
import { slipAt } from "./slip.ts";
import { declarationSlip, formOf, missingIn } from "./slip-declaration.ts";
import type { Token } from "./tokens.ts";

/** One sentence for a statement that could not be parsed; `offset` is where the parser gave up. */
export function reword(tokens: readonly Token[], offset: number, expected: PeggyError["expected"]): Finding {
  const [first, second] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined)
    return syntax({ start: offset, end: offset }, "nothing can be read here", "delete this line");
  const end = { start: last.end, end: last.end };
  const form = formOf(first.text);
  if (form !== null && second?.text !== ":" && second?.text !== ">") {
    if (offset >= last.end)
      return syntax(end, `this \`${first.text}\` stops short`, missingIn(tokens) ?? `it reads \`${form}\``);
    const at = tokenAt(tokens, offset);
    const fix = declarationSlip(tokens, tokens.indexOf(at));
    return syntax(spanOf(at), unexpected(tokens, offset), fix ?? `it reads \`${form}\``);
  }
  const lower = first.text.toLowerCase();
  if (lower !== first.text && formOf(lower) !== null && second?.kind === "word") {
    return syntax(spanOf(first), "words of the language are in lower case", `write \`${lower}\``);
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
  if (arrow === -1 && offset >= last.end && !leads(first.text)) {
    const text =
      first.text === "when" ? "say what then: `when … -> deny`" : "a rule reads `subject > amount -> action`";
    return syntax(end, "this rule has no `->`", text);
  }
  if (arrow !== -1 && arrow === tokens.length - 1) {
    return syntax(end, "this rule has no action", "say what happens: `-> deny`, `-> warn`, `-> pause`, …");
  }
  if (arrow === -1 && leads(first.text) && second?.text !== ":" && second?.text !== ">") {
    return syntax(spanOf(first), `\`${first.text}\` stands behind the arrow`, leading(first.text, second));
  }
  if (offset >= last.end && last.text === ",") {
    return syntax(spanOf(last), "nothing follows this comma", "delete it, or name a further action");
  }
  if (offset >= last.end) return syntax(end, "this statement stops short", wanted(expected));
  const at = tokenAt(tokens, offset);
  const slip = slipAt(tokens, tokens.indexOf(at));
  return syntax(spanOf(at), slip?.message ?? unexpected(tokens, offset), slip?.help ?? wanted(expected));
}

function leading(word: string, second: Token | undefined): string {
  if (word === "allow")
    return 'there are no rules that allow; to exempt someone, add `when tenant != "internal"` to the rule';
  return second?.text === "when" ? `write \`when … -> ${word}\`` : `write \`tenant.daily > $5 -> ${word}\``;
}

/** Actions that people put first. */
const leads = (word: string): boolean => ["deny", "allow", "warn", "pause", "block", "hold"].includes(word);

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
