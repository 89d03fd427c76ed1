/**
 * Windows that began at a wrong hour, and stops that clients took for a busy server: each test is named after where its class was
 * reported.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { answer, decide, endWorlds, spent, type World, world } from "../support/a-guard.ts";
import { app, fixedPrice } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";

afterEach(endWorlds);

const HOUR = 3_600_000;
const at = (one: World, time: string): void => {
  one.time = Date.parse(time);
};

/** What becomes of a call that costs a tenth of a cent at most. */
async function asked(one: World, time: string): Promise<string> {
  at(one, time);
  const passage = await decide(one);
  if (passage.kind === "go") await answer(one, passage);
  return passage.kind;
}

const WINDOWS = "litellm #34896, #37454, wso2 #2936, bifrost #5925, #5770";

describe("a window", () => {
  it(`${WINDOWS}: of a day begins at its zone's own midnight, and lasts a day`, async () => {
    const one = world('timezone "Asia/Shanghai"\ntenant.calls.daily > 1 -> deny\n');
    expect(await asked(one, "2026-11-22T15:59:00Z")).toBe("go");
    expect(await asked(one, "2026-11-22T15:59:59Z")).toBe("refuse");
    expect(await asked(one, "2026-11-22T16:00:00Z")).toBe("go");
    expect(await asked(one, "2026-11-23T15:59:59Z")).toBe("refuse");
    expect(await asked(one, "2026-11-23T16:00:00Z")).toBe("go");
  });

  it(`${WINDOWS}: of a day lasts 25 hours where the clocks go back`, async () => {
    const one = world('timezone "America/New_York"\ntenant.calls.daily > 1 -> deny\n');
    const began = Date.parse("2026-11-01T04:00:00Z");
    const later = (hours: number): string => new Date(began + hours * HOUR).toISOString();
    expect(await asked(one, later(0))).toBe("go");
    expect(await asked(one, later(24.9))).toBe("refuse");
    expect(await asked(one, later(25))).toBe("go");
  });

  it(`${WINDOWS}: of an hour is not filled up again drop by drop`, async () => {
    const one = world("tenant.calls.hourly > 2 -> deny\n");
    const kinds = [];
    for (const minute of ["00", "10", "20", "40", "59"]) kinds.push(await asked(one, `2026-11-22T12:${minute}:00Z`));
    expect(kinds).toEqual(["go", "go", "refuse", "refuse", "refuse"]);
    expect(await asked(one, "2026-11-22T13:00:00Z")).toBe("go");
  });

  it(`${WINDOWS}: has its rule of 99 % fire at 99 %, not before`, async () => {
    const one = world("budget day = $1 of tenant.daily\nday > 99% -> deny\n");
    let calls = 0;
    while (calls < 2_000 && (await asked(one, "2026-11-22T12:00:00Z")) === "go") calls += 1;
    const [out] = await spent(one, "tenant.cost.daily");
    expect(out).toBeGreaterThan(0.9);
    expect(out).toBeLessThanOrEqual(0.99);
  });
});

describe("a budget that is spent", () => {
  let provider: FakeProvider;
  let scene: Project;

  beforeAll(async () => {
    provider = await fakeProvider();
    scene = project({
      policy: "feature.calls.total > 0 -> deny\n",
      files: { "app.mjs": app("matrix") },
      config: { prices: fixedPrice, audit: { file: "audit.jsonl" } },
      env: { BUDGET_GUARD_STORE: "memory:" },
    });
  });
  afterAll(async () => {
    await provider.close();
    scene.remove();
  });

  const REPORTED = "LightRAG #3736, opencode #47686, gajae-code #1783, coco #1677, LibreChat #12547, repopilot #223";
  it.each([
    ["openai", "openai"],
    ["@anthropic-ai/sdk", "anthropic"],
    ["@langchain/openai", "openai"],
    ["@langchain/anthropic", "anthropic"],
    ["ai with openai", "openai"],
    ["ai with anthropic", "anthropic"],
  ])(`${REPORTED}: is told to %s in one decision, which is final`, async (client, speaks) => {
    scene.write("audit.jsonl", "");
    const env = { BUDGET_GUARD_HOSTS: `${provider.host}=${speaks}` };
    const end = await scene.run({ args: [provider.url, client, "json", "[{}]"], env });
    expect(end.stdout).toContain("budget-guard refused this call");
    const lines = readFileSync(join(scene.folder, "audit.jsonl"), "utf8").trim().split("\n");
    expect([lines.length, provider.requests.length]).toEqual([1, 0]);
  });
});
