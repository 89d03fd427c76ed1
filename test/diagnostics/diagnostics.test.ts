import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";

const folder = import.meta.dirname;
const models = ["claude-haiku-4-5", "claude-opus-4-7", "gpt-5", "gpt-5-mini"];
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".budget"))
  .sort();

describe("a bad program is answered with message, caret and help", () => {
  it.each(names)("%s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const expected = readFileSync(join(folder, name.replace(".budget", ".txt")), "utf8");
    const { plan, diagnostics, sources } = compile([{ file: "bad.budget", text }], { models });
    expect(`${renderAll(diagnostics, sources)}\n`).toBe(expected);
    expect(plan === null).toBe(expected.includes("error["));
  });

  it("has the 40 of the language's definition", () => {
    expect(names.length).toBeGreaterThanOrEqual(40);
  });
});
