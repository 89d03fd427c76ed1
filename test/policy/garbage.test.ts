import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, type ReadFile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import { parseSuite } from "../../src/policy/syntax.ts";

const folder = join(import.meta.dirname, "..", "diagnostics");
const examples = join(import.meta.dirname, "..", "..", "policies", "examples");
const programs = [folder, examples].flatMap((from) =>
  readdirSync(from)
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .map((name) => readFileSync(join(from, name), "utf8")),
);
const suites = readdirSync(examples)
  .filter((name) => name.endsWith(".test.budget"))
  .map((name) => readFileSync(join(examples, name), "utf8"));
const words = programs.join("\n").match(/\s+|"[^"\n]*"|[\w-]+|[^\w\s]/g) ?? [];

const find = (model: string) => (model === "gpt-5" ? { provider: "openai", price: 1 } : null);
const read: ReadFile = (_, path) =>
  path.endsWith(".json") ? { file: "q.json", text: '{"a": "$5"}' } : { why: "there is no such file" };

/** Compiles, and checks that there is either a plan or an error in good time, each shown in its place. */
function survives(text: string): void {
  const { plan, diagnostics, sources } = timed(text, () =>
    compile([{ file: "p.budget", text }], { models: { names: ["gpt-5"], find }, read }),
  );
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(plan === null, text).toBe(errors.length > 0);
  for (const { span, message, help, code } of diagnostics) {
    expect(span.start, `${code} ${text}`).toBeLessThanOrEqual(span.end);
    expect(span.end).toBeLessThanOrEqual(text.length);
    expect(message).not.toContain("undefined");
    expect(help).toBeTruthy();
    expect(help).not.toContain("undefined");
  }
  expect(renderAll(diagnostics, sources)).not.toContain("undefined |");
}

/** The same for a file of tests. */
function survivesAsTests(text: string): void {
  const { findings } = timed(text, () => parseSuite(text));
  for (const { span, message, help } of findings) {
    expect(span.start).toBeLessThanOrEqual(span.end);
    expect(span.end).toBeLessThanOrEqual(text.length);
    expect(`${message} ${help}`).not.toContain("undefined");
  }
}

/** No input may take longer, ms. */
const LONGEST = 50;

/** Does the work, and again where it took long: a machine may pause at any time, but not five times for one input. */
function timed<T>(text: string, work: () => T): T {
  for (let tries = 5; ; tries--) {
    const started = performance.now();
    const done = work();
    const took = performance.now() - started;
    if (took < LONGEST) return done;
    if (tries === 0) throw new Error(`${took} ms for ${JSON.stringify(text)}`);
  }
}

/** Inputs of each of the four kinds: 100,000 in all. `GARBAGE=1000000` tries more. */
const runs = Number(process.env.GARBAGE ?? 25_000);

const cut = (some: readonly string[]) =>
  fc.tuple(fc.constantFrom(...some), fc.nat(400), fc.nat(12)).map(([text, at, length]) => {
    const from = at % text.length;
    return text.slice(0, from) + text.slice(from + length);
  });

const swapped = (some: readonly string[]) =>
  fc.tuple(fc.constantFrom(...some), fc.nat(400), fc.constantFrom(...words)).map(([text, at, word]) => {
    const from = at % text.length;
    return `${text.slice(0, from)}${word}${text.slice(from + word.length)}`;
  });

describe("whatever is in a policy file", () => {
  it("any text is answered with a plan or with errors", { timeout: 600_000 }, () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), survives), { numRuns: runs });
  });

  it("so are the words of the language in any order", { timeout: 600_000 }, () => {
    const text = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((some) => some.join(""));
    fc.assert(fc.property(text, survives), { numRuns: runs });
  });

  it("so are programs with a piece cut out or another put in", { timeout: 600_000 }, () => {
    fc.assert(fc.property(fc.oneof(cut(programs), swapped(programs)), survives), { numRuns: runs });
  });

  it("and so are tests", { timeout: 600_000 }, () => {
    fc.assert(fc.property(fc.oneof(cut(suites), swapped(suites)), survivesAsTests), { numRuns: runs });
  });
});
