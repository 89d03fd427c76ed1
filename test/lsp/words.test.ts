import { describe, expect, it } from "vitest";
import { type Kind, wordFor, words } from "../../src/lsp/words.ts";
import * as vocabulary from "../../src/policy/vocabulary.ts";

const kinds: readonly (readonly [Kind, Iterable<string>])[] = [
  ["scope", [...vocabulary.scopes, ...vocabulary.subjects]],
  ["metric", [...vocabulary.metrics.keys()]],
  ["window", vocabulary.windows],
  ["flag", [...vocabulary.callFlags, "down"]],
  ["action", vocabulary.actions],
  ["keyword", vocabulary.keywords],
  ["placeholder", vocabulary.placeholders],
];

describe("the meanings of words", () => {
  it.each(kinds)("cover every %s of the vocabulary", (kind, all) => {
    for (const word of all) expect(wordFor(word, [kind]), word).not.toBeNull();
  });

  it("are about words of the language only", () => {
    const known = new Map(kinds.map(([kind, all]) => [kind, [...all]]));
    const others = words.filter(({ kind, text }) => kind !== "test" && !known.get(kind)?.includes(text));
    expect(others.map(({ text }) => text)).toEqual(["from", "to"]);
  });

  it("are sentences", () => {
    for (const { text, means } of words) expect(means, text).toMatch(/^[`A-Z][\s\S]*(?:[.…]|\)|`)$/);
  });

  it("tell the kinds of one word apart", () => {
    expect(wordFor("limit", ["keyword"])?.means).not.toBe(wordFor("limit", ["placeholder"])?.means);
    expect(wordFor("limit", ["metric"])).toBeNull();
  });
});
