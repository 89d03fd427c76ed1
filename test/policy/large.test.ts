import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import { parseSuite } from "../../src/policy/syntax.ts";

/** What a text is answered with, shown as people would see it, and how long that took, ms. */
function answered(text: string): { readonly codes: readonly string[]; readonly shown: string; readonly ms: number } {
  const started = performance.now();
  const { diagnostics, sources } = compile([{ file: "p.budget", text }]);
  const shown = renderAll(diagnostics, sources);
  return { codes: diagnostics.map(({ code }) => code), shown, ms: performance.now() - started };
}

const repeated = (text: string, times: number): string => text.repeat(times);
const joined = (times: number, part: (at: number) => string, by: string): string =>
  Array.from({ length: times }, (_, at) => part(at)).join(by);

describe("a file beyond all measure", () => {
  // The very first text pays for warming up.
  answered(repeated("(", 1_000));

  it.each([
    ["10 MB of rules", repeated("tenant.daily > $5 -> deny\n", 400_000)],
    ["10 MB on one line", repeated("tenant.daily > $5 ", 560_000)],
    ["10 MB of parentheses", repeated("(", 10_000_000)],
    ["10 MB of line ends", repeated("\n", 10_000_000)],
    ["10 MB in one string", `tenant.daily > $5 -> deny "${repeated("x", 10_000_000)}"`],
    [
      "10,000 nested parentheses",
      `run > $5 when ${repeated("(", 10_000)}user is missing${repeated(")", 10_000)} -> deny`,
    ],
    ["10,000 open parentheses", `run > $5 when ${repeated("(", 10_000)}`],
    ["10,000 nots", `run > $5 when ${repeated("not ", 10_000)}user is missing -> deny`],
    ["10,000 braces", `limit q by tenant ${repeated("{", 10_000)}`],
    ["10,000 quotes", repeated('"', 10_001)],
    ["10,000 dots", `tenant${repeated(".x", 10_000)} > $5 -> deny`],
  ])("%s is refused in well under 50 ms, in words that can be read", (_, text) => {
    // The best of three: the machine has other things to do as well.
    const [best] = [answered(text), answered(text), answered(text)].sort((a, b) => a.ms - b.ms);
    expect(best?.codes.length).toBeGreaterThan(0);
    expect(best?.shown.length).toBeLessThan(20_000);
    expect(best?.ms).toBeLessThan(50);
  });

  it("is refused as a file of tests, too", () => {
    const started = performance.now();
    expect(parseSuite(repeated('test "a"\n  call cost = $1\n', 400_000)).findings).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe("a file that is no policy at all", () => {
  it("is given up after a while, with as many errors as anyone reads", () => {
    const { codes, ms } = answered(repeated("x y z\n", 600_000));
    expect(codes).toHaveLength(201);
    expect(ms).toBeLessThan(2_000);
  });
});

describe("a file of lines that should have been indented", () => {
  it("is given up after a while, and never taken for a sound one", () => {
    const { codes, ms } = answered(`${repeated("-> #\n", 400_000)}!`);
    expect(codes).toContain("syntax");
    expect(ms).toBeLessThan(3_000);
    const mixed = answered(`${repeated("-> #\n", 2_000)}tenant.daily > $5 -> deny`);
    expect(mixed.codes).toContain("syntax");
  });
});

describe("a file of doc comments", () => {
  it.each(["!", "tenant.daily", "tenant.daily > $5 -> deny", "}", '"', "-> deny"])(
    "above %s is read in good time",
    (line) => {
      const text = `${repeated("## a\n", 30_000)}${line}`;
      expect(answered(text).ms).toBeLessThan(1_000);
      const started = performance.now();
      parseSuite(text);
      expect(performance.now() - started).toBeLessThan(1_000);
    },
  );
});

describe("a long statement neither overflows the stack nor takes for ever", () => {
  it.each([
    ["20,000 actions", `run > $5 -> ${joined(20_000, () => "warn", ", ")}`],
    ["5,000 thresholds", `${joined(5_000, (at) => `run.calls > ${at}`, " and ")} -> deny`],
    [
      "5,000 shares of one budget",
      `budget b = $5 of tenant.daily when user == "x"\n${joined(5_000, (at) => `b > ${at + 1}%`, " and ")} -> deny`,
    ],
    ["8,000 alternatives", `run > $5 when ${joined(8_000, (at) => `user == "${at}"`, " or ")} -> deny`],
    ["8,000 demands", `run > $5 when ${joined(8_000, (at) => `user != "${at}"`, " and ")} -> deny`],
    [
      "10,000 values, twice",
      repeated(`run > $5 when user in [${joined(10_000, (at) => `"${at}"`, ",")}] -> deny\n`, 2),
    ],
    [
      "a table of 20,000 rows",
      `limit q by tenant {\n${joined(20_000, (at) => `  "t${at}": $${at}`, "\n")}\n} else $1\ntenant.daily > q -> deny`,
    ],
  ])("%s", (_, text) => {
    const { codes, ms } = answered(text);
    expect(codes).not.toContain("syntax");
    expect(ms).toBeLessThan(3_000);
  });

  it("with 5,000 rules of which each has a pattern of its own is linted in good time", () => {
    const rules = joined(5_000, (at) => `feature.daily > $5 when feature matches "f${at}*" -> deny`, "\n");
    const { codes, ms } = answered(rules);
    expect(codes).toEqual([]);
    expect(ms).toBeLessThan(8_000);
  });

  it("of 5,000 ladders is linted in good time", () => {
    const rules = joined(5_000, (at) => `feature.daily > $${at + 1} when feature == "f${at % 50}" -> deny`, "\n");
    const { codes, ms } = answered(rules);
    expect(codes).toHaveLength(201);
    expect(new Set(codes)).toEqual(new Set(["unreachable", "more"]));
    expect(ms).toBeLessThan(5_000);
  });
});
