/**
 * The comments of a file: the tree does not hold them, and the formatter must lose none.
 * @module
 */

export interface Comment {
  readonly start: number;
  /** With its `#`, without white space at its end. */
  readonly text: string;
  /** True where nothing but white space stands before it on its line. */
  readonly ownLine: boolean;
  /** True at the very start of its line, where `##` can be a doc line. */
  readonly atMargin: boolean;
}

/** A `#` in a string is no comment, so strings are read, too. */
const pattern = /"(?:\\[^\n]|[^"\\\n])*"|#[^\n]*/g;

/** Every comment, doc lines included, in the order of the text. Line ends are plain `\n`. */
export function commentsOf(text: string): readonly Comment[] {
  const found: Comment[] = [];
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (!match.startsWith("#")) continue;
    const before = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
    found.push({ start: index, text: match.trimEnd(), ownLine: before.trim() === "", atMargin: before === "" });
  }
  return found;
}

/** A comment that moves to the margin, where `##` would make it the doc of what follows. */
export const marginal = ({ text, atMargin }: Comment): string =>
  atMargin || !text.startsWith("##") ? text : text.startsWith("###") ? `# ${text}` : text.slice(1);
