import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../cli/command.ts";
import { replay } from "../incident/replay.ts";
import { incidentLog } from "./traffic.ts";

/** 3 hours of the incident. */
const CALLS = 4_000;
const log = [...incidentLog(CALLS)].join("");

const research = 'budget research = $4.5K of feature.monthly when feature == "research"\n';

/** The rules of the README's table. */
const rules = [
  "run.repeats > 3 -> deny for 10m",
  "run.calls > 25 -> deny",
  "feature.retries last 15m > 30% and feature.retries last 15m > 20 -> deny for 10m",
  "feature.hourly > $50 -> deny",
  `${research}feature last 1h > 2% of research -> pause`,
  `${research}research > 5% -> pause`,
  readFileSync(join(import.meta.dirname, "..", "..", "policies", "incident.budget"), "utf8"),
];

describe("a backtest of the $47,000 incident", () => {
  it.each(rules)("says what the replay of the README says: %s", { timeout: 60_000 }, async (policy) => {
    const project = folder(policy);
    project.write("spans.jsonl", log);
    const { code, out } = await project.run(["backtest", "spans.jsonl", "--json"]);
    const found = JSON.parse(out);
    const expected = await replay(policy, CALLS);
    expect(code).toBe(0);
    expect(found.calls).toBe(CALLS);
    expect(found.recorded).toBeCloseTo(CALLS * 0.135, 6);
    expect(found.first_refusal.rule).toBe(expected.rule);
    expect(found.first_refusal.spent_before).toBeCloseTo(expected.firstRefusalAt ?? -1, 6);
    const minutes = (Date.parse(found.first_refusal.at) - Date.parse(found.from)) / 60_000;
    expect(minutes).toBeCloseTo(expected.afterMinutes ?? -1, 3);
    expect(found.spent).toBeCloseTo(expected.spent, 6);
  });
});
