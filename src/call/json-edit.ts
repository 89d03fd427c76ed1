/**
 * Changing one number or text in a JSON text without touching another byte: a prompt must arrive as it was written, and
 * parsing and printing again would change its escapes, its spaces and the order of its keys.
 */

/** A text as bytes, one character each, so that offsets in it are offsets in the body. */
export type Latin1 = string;

export interface Member {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The body with each value at `path` replaced; where there is none it is added, with the objects around it that are
 * missing. Null where it is no JSON object.
 */
export function editJson(
  body: Buffer,
  path: readonly string[],
  value: number | string,
  insert: boolean,
): Buffer | null {
  const text = body.toString("latin1");
  const top = openingBrace(text, 0);
  if (top === null) return null;
  const spans = findAll(text, top, path);
  if (spans === null) return null;
  const written = Buffer.from(JSON.stringify(value)).toString("latin1");
  if (spans.length === 0) return insert ? inserted(text, top, path, written) : null;
  let edited = text;
  for (const span of [...spans].reverse()) edited = edited.slice(0, span.start) + written + edited.slice(span.end);
  return Buffer.from(edited, "latin1");
}

/** The value as the first member of the object it belongs to; an object in its place that is none (null) makes way. */
function inserted(text: Latin1, object: number, path: readonly string[], written: Latin1): Buffer | null {
  const all = members(text, object);
  if (all === null) return null;
  const [key = "", ...rest] = path;
  // A key may stand twice, and parsers take the last one.
  const here = all.findLast((member) => member.key === key);
  if (here !== undefined && text[here.start] === "{") return inserted(text, here.start, rest, written);
  const value = rest.reduceRight((inner, name) => `{"${name}":${inner}}`, written);
  if (here !== undefined) return Buffer.from(text.slice(0, here.start) + value + text.slice(here.end), "latin1");
  const comma = all.length === 0 ? "" : ",";
  return Buffer.from(`${text.slice(0, object + 1)}"${key}":${value}${comma}${text.slice(object + 1)}`, "latin1");
}

/** Every value under the path; a key may stand twice, and which one counts differs between parsers. */
function findAll(text: Latin1, object: number, path: readonly string[]): readonly Member[] | null {
  const all = members(text, object);
  if (all === null) return null;
  const [key, ...rest] = path;
  const here = all.filter((member) => member.key === key);
  if (rest.length === 0) return here;
  return here.flatMap((member) => (text[member.start] === "{" ? (findAll(text, member.start, rest) ?? []) : []));
}

/** What of an object has come. */
export interface Came {
  readonly all: readonly Member[];
  /** The key whose value had not come to its end; null where there is none. */
  readonly unfinished: string | null;
  readonly whole: boolean;
}

/** The members of the object that begins at `open`; null where the text ends before it does. */
function members(text: Latin1, open: number): readonly Member[] | null {
  const { all, whole } = membersSoFar(text, open);
  return whole ? all : null;
}

/** The members of the object that begins at `open`, up to the end of the text or to what is no JSON. */
export function membersSoFar(text: Latin1, open: number): Came {
  const all: Member[] = [];
  const cut = (unfinished: string | null = null): Came => ({ all, unfinished, whole: false });
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    if (keyEnd === null) return cut();
    const colon = skipSpace(text, keyEnd);
    if (text[colon] !== ":") return cut();
    const key = plainKey(text.slice(at, keyEnd));
    const start = skipSpace(text, colon + 1);
    const end = valueEnd(text, start);
    // Of a number that stands last nobody knows whether it goes on.
    if (end === null || end === text.length) return cut(key);
    all.push({ key, start, end });
    const next = skipSpace(text, end);
    if (text[next] !== ",") return text[next] === "}" ? { all, unfinished: null, whole: true } : cut();
    at = skipSpace(text, next + 1);
  }
  return text[at] === "}" ? { all, unfinished: null, whole: true } : cut();
}

/** Past the value that begins at `start`. */
function valueEnd(text: Latin1, start: number): number | null {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  if (first !== "{" && first !== "[") {
    let at = start;
    while (at < text.length && !",}] \t\r\n".includes(text[at] ?? "")) at += 1;
    return at > start ? at : null;
  }
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      const end = stringEnd(text, at);
      if (end === null) return null;
      at = end - 1;
    } else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return null;
}

/** Past the closing quote of the string that begins at `start`. */
function stringEnd(text: Latin1, start: number): number | null {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return null;
}

function skipSpace(text: Latin1, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return at;
}

/** Where the object that the text holds begins; null where it holds none. */
export function openingBrace(text: Latin1, start: number): number | null {
  // A byte order mark in UTF-8.
  const at = skipSpace(text, text.startsWith("\u00ef\u00bb\u00bf") ? 3 : start);
  return text[at] === "{" ? at : null;
}

function plainKey(quoted: Latin1): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
