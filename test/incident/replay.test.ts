import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Replay, replay, traffic, unguarded } from "./replay.ts";

const root = join(import.meta.dirname, "..", "..");

/** 30.3 hours of the incident. */
const CALLS = 40_000;

const research = 'budget research = $4.5K of feature.monthly when feature == "research"\n';

/** Each rule of the README's table alone, under the text that the table shows. */
const rules: readonly (readonly [shown: string, policy: string])[] = [
  ["run.repeats > 3 -> deny for 10m", "run.repeats > 3 -> deny for 10m"],
  ["run.calls > 25 -> deny", "run.calls > 25 -> deny"],
  [
    "feature.retries last 15m > 30% and feature.retries last 15m > 20 -> deny for 10m",
    "feature.retries last 15m > 30% and feature.retries last 15m > 20 -> deny for 10m",
  ],
  ["feature.hourly > $50 -> deny", "feature.hourly > $50 -> deny"],
  ["feature last 1h > 2% of research -> pause", `${research}feature last 1h > 2% of research -> pause`],
  ["research > 100% -> pause", `${research}research > 100% -> pause`],
];

const dollars = (amount: number): string =>
  `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

const after = (minutes: number): string =>
  minutes < 120 ? `${minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;

const row = (shown: string, { firstRefusalAt, afterMinutes, spent, final }: Replay): string =>
  `| \`${shown}\` | ${dollars(firstRefusalAt ?? 0)} | ${after(afterMinutes ?? 0)} | ${dollars(spent)}${final ? ", final" : ""} |`;

describe("the $47,000 incident", () => {
  it("costs what the article says when nobody says no", () => {
    expect(dollars(unguarded)).toBe("$47,044.80");
    expect(traffic.callsPerMinute * 60 * 24 * traffic.days).toBe(348_480);
  });

  it("is stopped by each rule of the README's table where the table says", { timeout: 120_000 }, async () => {
    const table = ["| rule, alone | first refusal at | after | spent in 30 hours |", "|---|---|---|---|"];
    for (const [shown, policy] of rules) table.push(row(shown, await replay(policy, CALLS)));
    expect(readFileSync(join(root, "README.md"), "utf8")).toContain(table.join("\n"));
  });

  it("is over within minutes under the policy of the demo, and stays over", async () => {
    const policy = readFileSync(join(root, "policies", "incident.budget"), "utf8");
    const { firstRefusalAt, afterMinutes, spent } = await replay(policy, 2_000);
    expect(firstRefusalAt).toBeLessThan(5);
    expect(afterMinutes).toBeLessThan(5);
    expect(spent).toBeLessThan(100);
  });
});
