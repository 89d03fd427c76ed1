/**
 * Segments of a statement to lines of at most 100 columns, with the comments that stand between them.
 * In: what may be broken where. Out: lines. Nothing here knows the language.
 * @module
 */
import type { Comment } from "./format-comments.ts";

/** Lines end here where they can. */
export const WIDTH = 100;

/** A part of a statement that a line may start with. */
export interface Segment {
  /** Between two of them a line may end. */
  readonly words: readonly string[];
  /** Where it starts in the source: says which comments are its own. */
  readonly start: number;
  /** Columns before it where it starts a line; its own further lines stand two deeper. */
  readonly indent: number;
  /** Columns before the comments above it, where these are not its own. */
  readonly commentIndent?: number;
  /** True where it starts a line of its own in a statement that is broken over lines. */
  readonly breaks: boolean;
}

/** A segment with its comments. */
export interface Commented extends Segment {
  /** On lines of their own, above it. */
  readonly before: readonly string[];
  /** At the end of its line. */
  readonly after: string | null;
}

/** Gives every comment to a segment; `hoisted` are those that must go above the whole statement. */
export function attach(
  segments: readonly Segment[],
  comments: readonly Comment[],
): { readonly segments: readonly Commented[]; readonly hoisted: readonly Comment[] } {
  const before = segments.map((): Comment[] => []);
  const after = segments.map((): Comment | null => null);
  let last = 0;
  for (const comment of comments) {
    while ((segments[last + 1]?.start ?? Number.POSITIVE_INFINITY) < comment.start) last++;
    if (comment.ownLine) {
      before[Math.min(last + 1, segments.length - 1)]?.push(comment);
      continue;
    }
    // A segment that was written over several lines and now stands on one has room for one comment at its end.
    const earlier = after[last];
    if (earlier) before[last]?.push(earlier);
    after[last] = comment;
  }
  return {
    segments: segments.map((segment, index) => ({
      ...segment,
      before: index === 0 ? [] : (before[index] ?? []).map(({ text }) => text),
      after: after[index]?.text ?? null,
    })),
    hoisted: before[0] ?? [],
  };
}

/** All on one line, or null where a comment in the midst forbids that. The last comment is left out. */
export function oneLine(segments: readonly Commented[]): string | null {
  const free = segments.every(
    ({ before, after }, index) => before.length === 0 && (after === null || index === segments.length - 1),
  );
  return free ? segments.flatMap(({ words }) => words).join(" ") : null;
}

/** Broken over lines: where a segment says so, where a comment ends a line, and where the width does. */
export function broken(segments: readonly Commented[]): readonly string[] {
  const lines: string[] = [];
  let current: string | null = null;
  const end = (): void => {
    if (current !== null) lines.push(current);
    current = null;
  };
  for (const { words, indent, commentIndent, breaks, before, after } of segments) {
    if (breaks || before.length > 0) end();
    for (const comment of before) lines.push(`${" ".repeat(commentIndent ?? indent)}${comment}`);
    let margin = indent;
    for (const word of words) {
      if (current !== null && width(current) + 1 + width(word) > WIDTH) end();
      current = current === null ? `${" ".repeat(margin)}${word}` : `${current} ${word}`;
      margin = indent + 2;
    }
    if (after !== null) {
      current = `${current ?? ""} ${after}`;
      end();
    }
  }
  end();
  return lines;
}

/** The widest of them, in columns. */
export const widest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, width(text)), 0);

/** Columns, as an editor counts them: characters, not UTF-16 units. */
export const width = (text: string): number => [...text].length;
