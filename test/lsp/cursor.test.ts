import { expect, it } from "vitest";
import { spotAt } from "../../src/lsp/cursor.ts";

it("a string that fills a file of megabytes is no word, and no end of the stack", () => {
  const text = `"${"a".repeat(12_000_000)}"`;
  expect(spotAt(text, 3)).toMatchObject({ kind: "string", start: 0 });
  expect(spotAt(text, text.length - 2).kind).toBe("nothing");
  expect(spotAt("a".repeat(12_000_000), 3)).toMatchObject({ kind: "word", start: 0 });
});
