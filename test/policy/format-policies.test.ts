import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { format } from "../../src/policy/format.ts";

describe("the policies of this package", () => {
  const root = join(import.meta.dirname, "..", "..", "policies");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".budget"));

  it.each(files)("%s is in canonical form", (file) => {
    const text = readFileSync(join(root, file), "utf8");
    const kind = file.endsWith(".test.budget") ? "suite" : "policy";
    expect(format(text, kind)).toEqual({ kind: "formatted", text });
  });
});
