import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { format } from "../../src/policy/format.ts";
import { parsePolicy } from "../../src/policy/syntax.ts";

describe("the policies of this package", () => {
  const root = join(import.meta.dirname, "..", "..", "policies");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".budget"));

  it.each(files)("%s is in canonical form", (file) => {
    const text = readFileSync(join(root, file), "utf8");
    const kind = file.endsWith(".test.budget") ? "suite" : "policy";
    expect(format(text, kind)).toEqual({ kind: "formatted", text });
  });
});

describe("the programs of the diagnostics", () => {
  const root = join(import.meta.dirname, "..", "diagnostics");
  const files = readdirSync(root).filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"));

  it("keep their meaning, right or wrong, as long as they can be read", () => {
    let read = 0;
    for (const file of files) {
      const text = readFileSync(join(root, file), "utf8");
      const once = format(text, "policy");
      if (once.kind === "unreadable") continue;
      read++;
      expect(bare(once.text), file).toEqual(bare(text));
      expect(format(once.text, "policy"), file).toEqual(once);
    }
    expect(read).toBeGreaterThan(30);
  });
});

/** The tree without positions. */
const bare = (text: string): unknown =>
  JSON.parse(JSON.stringify(parsePolicy(text).statements, (key, value) => (key === "span" ? undefined : value)));
