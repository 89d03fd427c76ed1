import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedCall, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  [provider, sink] = await Promise.all([fakeProvider({ usage: { input: 10, output: 100 } }), otlpSink()]);
  project = askingProject(provider, {
    policy: "",
    config: { audit: { file: ".budget-guard/audit.jsonl" } },
    env: { ...sink.env, BUDGET_GUARD_RUN: "job-1", BUDGET_GUARD_FEATURE: "research" },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  project.remove();
});

/** What a real process recorded: its spans as the collector got them, and its audit log. */
async function recorded(calls: Parameters<typeof asked>[2]["calls"]): Promise<readonly string[]> {
  await asked(project, provider, { calls }, { env: { BUDGET_GUARD_MODE: "shadow" } });
  project.write("spans.jsonl", sink.received());
  project.write("audit.jsonl", readFileSync(join(project.folder, ".budget-guard", "audit.jsonl"), "utf8"));
  return ["spans.jsonl", "audit.jsonl"];
}

async function backtested(file: string) {
  const { code, stdout, stderr } = await project.cli("backtest", file, "--json");
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

describe("what a real process recorded", () => {
  it("is refused in a backtest as the guard refuses it in life", { timeout: 60_000 }, async () => {
    const calls = [...times(4), fixedCall("again"), fixedCall("again"), fixedCall("again"), ...times(3)];
    const files = await recorded(calls);
    const policy = "repeats: run.repeats > 1 -> deny\nmoney: tenant.total > $0.10 -> deny\n";
    project.write("policies/test.budget", policy);
    const lived = await asked(project, provider, { calls }, { env: { BUDGET_GUARD_STORE: "memory:" } });
    const refused = statuses(lived).filter((status) => status === 402).length;
    expect(refused).toBe(2);
    for (const file of files) {
      const found = await backtested(file);
      expect(found).toMatchObject({ calls: 10, refused, leftovers: { unusable: {}, duplicates: 0 } });
      expect(found.recorded).toBeCloseTo(0.125, 9);
      expect(found.spent).toBeCloseTo(0.1, 9);
      expect(found.rules.map(({ rule, refused: by }: { rule: string; refused: number }) => [rule, by])).toEqual([
        ["money", 1],
        ["repeats", 1],
      ]);
    }
  });
});
