import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Folder, folder } from "./command.ts";

const root = join(import.meta.dirname, "..", "..");

const shipped = (file: string): string => readFileSync(join(root, "policies", file), "utf8");

/** A folder whose policies/ holds the file under its own name, and what it imports beside it. */
function holding(file: string): Folder {
  const project = folder();
  for (const beside of ["org.budget", "limits.json"]) {
    if (file.startsWith("examples/")) project.write(`beside/${beside}`, shipped(`examples/${beside}`));
  }
  project.write(`beside/${file.slice(file.indexOf("/") + 1)}`, shipped(file));
  return project;
}

const opus = ["--model", "claude-opus-4-7"];

async function figures(policy: string, ...options: readonly string[]) {
  const { code, out } = await folder(policy).run(["audit", "--json", ...options]);
  const { kinds, rules } = JSON.parse(out);
  return { code, kind: kinds[0], kinds, rules };
}

const programs = [
  "incident.budget",
  "starter.budget",
  ...readdirSync(join(root, "policies", "examples"))
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget") && name !== "org.budget")
    .map((name) => `examples/${name}`),
];

describe("audit of the policies that ship", () => {
  it.each(programs)("%s", async (file) => {
    const name = file.slice(file.indexOf("/") + 1);
    const { out, err } = await holding(file).run(["audit", `beside/${name}`, "--monthly-budget", "$18K", ...opus]);
    expect(err).toBe("");
    const page = out.replace(/[0-9a-f]{12}/, "<hash>");
    await expect(`${page}\n`).toMatchFileSnapshot(join("audit", name.replace(".budget", ".txt")));
  });

  it("02: a run burns $5, but nothing bounds how many there are: $100 on each of 31 days", async () => {
    const { code, kind } = await figures(shipped("examples/02-early-stage.budget"), "--monthly-budget", "18000");
    expect(code).toBe(0);
    expect(kind).toMatchObject({ max_burn: 3_100, verdict: "too loose", share: 3_100 / 18_000 });
    expect(kind.factors).toContainEqual(expect.objectContaining({ factor: "one run", value: 5 }));
    const four = await figures(
      shipped("examples/02-early-stage.budget"),
      "--monthly-budget",
      "18000",
      "--concurrency",
      "4",
    );
    expect(four.kind).toMatchObject({ max_burn: 20, verdict: "genuine" });
  });

  it("05: a slow loop in research stops at $4.5K only, and nothing bounds other features", async () => {
    const { code, kinds, rules } = await figures(shipped("examples/05-the-47k-incident.budget"));
    expect(code).toBe(1);
    expect(kinds).toMatchObject([
      { calls: "every call", verdict: "unbounded" },
      { calls: 'feature == "research"', max_burn: 4_500, monthly_budget: 4_500, share: 1, verdict: "too loose" },
    ]);
    // $90 an hour, as long as no hour runs into the pause.
    expect(rules).toContainEqual(
      expect.objectContaining({ rule: "burn", hold: "final", hour: 90, eleven_days: 23_760, month: 65_700 }),
    );
  });

  it("06: opus is answered by haiku, 4K in and 2K out, 20 calls, 8 at once for each tenant", async () => {
    const { code, kind } = await figures(shipped("examples/06-max-burn.budget"), ...opus);
    // 4K x $1/M + 2K x $5/M = $0.014
    const run = 20 * 0.014;
    expect(code).toBe(1);
    expect(kind.max_burn).toBeNull();
    expect(kind.each[0].usd).toBeCloseTo(8 * run, 9);
    // Two retries make three attempts.
    expect(kind.article).toBeCloseTo(3 * 8 * run, 9);
    expect(kind.gaps.map(({ factor }: { factor: string }) => factor)).toEqual(["concurrency", "month"]);
  });

  it("07: the month's ceiling is all there is, at 95% of $18K", async () => {
    const { code, kind } = await figures(shipped("examples/07-alert-mistake.budget"));
    expect(code).toBe(0);
    expect(kind).toMatchObject({ max_burn: 17_100, monthly_budget: 18_000, share: 0.95, verdict: "too loose" });
  });

  it("08: $100 in ten minutes is $438,000 in a month", async () => {
    const { code, kind } = await figures(shipped("examples/08-iterations-lullaby.budget"), "--monthly-budget", "18K");
    expect(code).toBe(1);
    expect(kind).toMatchObject({ max_burn: 438_000, verdict: "a prayer" });
  });
});

describe("audit", () => {
  it("takes the article's settings for the article's number", async () => {
    const policy = [
      "run.calls > 400 -> deny",
      "call.input_tokens > 12K -> deny",
      "call.output_tokens > 3K -> cap 3K tokens",
      "call.retries > 2 -> deny",
      "global.concurrency > 4 -> hold 20s",
    ].join("\n");
    const { kind } = await figures(policy, ...opus, "--monthly-budget", "18K");
    // 400 x (12K x $5/M + 3K x $25/M) x 3 x 4: the article says about $660.
    expect(kind.article).toBeCloseTo(648, 9);
    // run.calls counts retries too: 400 x $0.135 x 4, 1.2% of $18K.
    expect(kind).toMatchObject({ max_burn: 216, verdict: "enforced", share: 0.012 });
  });

  it("finds $1,200 a day and $36,500 a month for each tenant in $50 an hour", async () => {
    const { code, kind, rules } = await figures("tenant.hourly > $50 -> deny");
    expect(code).toBe(1);
    expect(kind).toMatchObject({ max_burn: null, verdict: "unbounded", each: [{ each: ["tenant"], usd: 36_500 }] });
    expect(rules).toMatchObject([{ hour: 50, day: 1_200, eleven_days: 13_200, month: 36_500, hold: "rate" }]);
  });

  it("names the line that would bound each factor, and is content when they are written", async () => {
    const { kind } = await figures("run.errors > 3 -> deny");
    const lines = kind.gaps.map(({ line }: { line: string }) => line).join("\n");
    const after = await figures(lines, "--monthly-budget", "18K");
    expect(after.kind.gaps).toEqual([]);
    expect(after.code).toBe(0);
    expect(after.kind.max_burn).toBeLessThanOrEqual(1_000);
  });

  it("shows people forty rules and programs all of them", async () => {
    const policy = Array.from({ length: 50 }, (_, n) => `tenant.daily > $${n + 1} when user == "u${n}" -> deny`);
    const project = folder(policy.join("\n"));
    const { out } = await project.run(["audit", ...opus]);
    expect(out.match(/only calls with user/g)).toHaveLength(40);
    expect(out).toContain("and 10 rules more; --json tells of all.");
    expect((await figures(policy.join("\n"), ...opus)).rules).toHaveLength(50);
  });

  it("says that it needs a budget where the policy names none for the month", async () => {
    const { code, out } = await folder("global.daily > $100 -> deny").run(["audit"]);
    expect(code).toBe(0);
    expect(out).toContain("needs --monthly-budget");
  });

  it("prices a model of the deployment's own, and refuses one that nobody prices", async () => {
    const project = folder("run.calls > 10 -> deny\ncall.input_tokens > 1M -> deny\ncall.output_tokens > 1M -> deny");
    project.write("budget-guard.json", JSON.stringify({ prices: { "my-model": { input: 1, output: 2 } } }));
    const { out } = await project.run(["audit", "--json", "--model", "my-model", "--concurrency", "1"]);
    // All of a context of a million tokens as answer, $2 a call.
    expect(JSON.parse(out).kinds[0].max_burn).toBe(20);
    expect(await project.run(["audit", "--model", "your-model"])).toMatchObject({ code: 2 });
  });

  it.each([
    [["--monthly-budget", "much"], "write dollars"],
    [["--concurrency", "0"], "how many runs"],
    [["nope.budget"], "no file or folder"],
  ])("ends with 2 for %j", async (args, said) => {
    const { code, err } = await folder("run.calls > 1 -> deny").run(["audit", ...args]);
    expect({ code, said: err.includes(said) }).toEqual({ code: 2, said: true });
  });

  it("ends with 78 for a policy with errors", async () => {
    expect(await folder("run.cals > 1 -> deny").run(["audit"])).toMatchObject({ code: 78 });
  });
});
