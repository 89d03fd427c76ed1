import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";

const folder = join(import.meta.dirname, "..", "diagnostics");
const programs = [folder, join(import.meta.dirname, "..", "..", "policies", "examples")].flatMap((from) =>
  readdirSync(from)
    .filter((name) => name.endsWith(".budget"))
    .map((name) => readFileSync(join(from, name), "utf8")),
);
const words = programs.join("\n").match(/\s+|"[^"\n]*"|[\w-]+|[^\w\s]/g) ?? [];

/** Compiles, and checks that there is either a plan or an error, each shown in its place. */
function survives(text: string): void {
  const { plan, diagnostics, sources } = compile([{ file: "p.budget", text }], {
    models: { names: ["gpt-5"], find: (model) => (model === "gpt-5" ? { provider: "openai", price: 1 } : null) },
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(plan === null, text).toBe(errors.length > 0);
  for (const { span, message, help, code } of diagnostics) {
    expect(span.start, `${code} ${text}`).toBeLessThanOrEqual(span.end);
    expect(span.end).toBeLessThanOrEqual(text.length);
    expect(message).not.toContain("undefined");
    expect(help).not.toContain("undefined");
  }
  expect(renderAll(diagnostics, sources)).not.toContain("undefined |");
}

describe("whatever is in a policy file", () => {
  it("any text is answered with a plan or with errors", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), survives), { numRuns: 1_000 });
  });

  it("so are the words of the language in any order", () => {
    const text = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((some) => some.join(""));
    fc.assert(fc.property(text, survives), { numRuns: 2_000 });
  });

  it("so are programs with a piece cut out", () => {
    const cut = fc.tuple(fc.constantFrom(...programs), fc.nat(400), fc.nat(12)).map(([text, at, length]) => {
      const from = at % text.length;
      return text.slice(0, from) + text.slice(from + length);
    });
    fc.assert(fc.property(cut, survives), { numRuns: 1_500 });
  });
});
