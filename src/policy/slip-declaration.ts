/**
 * What is meant by a declaration that went wrong.
 * @module
 */
import type { Token } from "./tokens.ts";

/** How each declaration reads. */
const forms: ReadonlyMap<string, string> = new Map([
  ["import", 'import "./other.budget"'],
  ["timezone", 'timezone "UTC"'],
  ["dimension", "dimension plan, workflow"],
  ["budget", "budget research = $6K of feature.monthly"],
  ["limit", 'limit quota by plan { "free": $5 } else $1'],
]);

/** How the declaration that begins with this word reads; null where it begins none. */
export const formOf = (word: string): string | null => forms.get(word) ?? null;

/** What is still to come in a declaration that stops short; null where only its form helps. */
export function missingIn(tokens: readonly Token[]): string | null {
  const words = tokens.map(({ text }) => text);
  const [keyword, name = ""] = words;
  if (keyword === "budget" && words[2] === "=" && words.length === 4) {
    return `say of what: \`budget ${name} = ${words[3]} of tenant.monthly\``;
  }
  if (keyword === "limit" && words[2] === "by" && words.length === 4) {
    return `give it a table: \`limit ${name} by ${words[3]} { "acme": $50 } else $5\``;
  }
  if (keyword === "limit" && words.at(-1) === "else")
    return "add an amount: `else $5`; or `else unlimited` if that is what you mean";
  return null;
}

/** The fix for a declaration that broke at the token with this index, in its own words; null where only its form helps. */
export function declarationSlip(tokens: readonly Token[], index: number): string | null {
  const [keyword, name] = tokens;
  const word = (at: number): string => tokens[at]?.text ?? "";
  const [text, before, next] = [word(index), word(index - 1), word(index + 1)];
  switch (keyword?.text) {
    case "import":
    case "timezone":
      return index === 1 && /^[\w./+-]+$/.test(text) ? `write \`${keyword.text} "${text}"\`` : null;
    case "dimension":
      if (tokens[index]?.kind === "string") return `write \`dimension ${text.replaceAll('"', "")}\``;
      return /^\w/.test(text) && index > 1 ? `put a comma between them: \`${before}, ${text}\`` : null;
    case "budget":
      if (name?.text === "=") return "give it a name: `budget research = $6K of feature.monthly`";
      if (text === ":") return `write \`budget ${before} = …\``;
      if (index === 2 && /^[$\d]/.test(text)) return `write \`budget ${before} = ${text}\``;
      if (["for", "per", "on", "in", "by"].includes(text)) return `write \`of\`: \`${before} of ${next}\``;
      return word(2) === "=" && index === 3 ? `say how much first: \`budget ${word(1)} = $50 of ${text}\`` : null;
    case "limit":
      return tableSlip(tokens, index, text, before, next);
    default:
      return null;
  }
}

function tableSlip(tokens: readonly Token[], index: number, text: string, before: string, next: string): string | null {
  const by = tokens[2]?.text === "by";
  if (text === "{" && (!by || index === 3)) return `say whose: \`limit ${tokens[1]?.text ?? "quota"} by tenant { … }\``;
  if (before === "from") {
    return /\.json$/.test(text) ? `write \`from "${text}"\`` : 'write `from store`, or `from "limits.json"`';
  }
  if (text === "=" || text === ":") return 'it reads `limit quota by plan { "free": $5 } else $1`';
  if (/^[{,]$/.test(before) || tokens[index - 1]?.kind === "word") {
    if (tokens[index]?.kind === "string" && next !== ":") return `put a colon behind it: \`${text}: $5\``;
    if (/^\w/.test(text) && next === ":") return `put it in quotes: \`"${text}": …\``;
  }
  return null;
}
