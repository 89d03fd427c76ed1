/**
 * The words of a statement, for what is found before the parser runs and for saying what it stumbled over.
 * @module
 */
import type { Span } from "./ast.ts";

export interface Token extends Span {
  readonly kind: "string" | "open string" | "word" | "sign";
  readonly text: string;
}

const pattern =
  /(?<string>"(?:\\[^\r\n]|[^"\\\r\n])*")|(?<open>"[^\r\n]*)|#[^\r\n]*|(?:[ \t\n]|\r\n)+|(?<word>[$€£¥]?[\w.%](?:[\w.%/]|-(?!>))*)|->|=>|&&|\|\||[<>=!]=|./gsu;

/** Words, strings and signs with their offsets in the file; `base` is where `text` starts in it. Comments are left out. */
export function tokenize(text: string, base: number): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(pattern)) {
    const [found] = match;
    if (found.startsWith("#") || (found !== "\r" && /^[ \t\r\n]+$/.test(found))) continue;
    const groups = match.groups ?? {};
    tokens.push({
      kind: groups.string ? "string" : groups.open ? "open string" : groups.word ? "word" : "sign",
      text: found,
      start: base + match.index,
      end: base + match.index + found.length,
    });
  }
  return tokens;
}
