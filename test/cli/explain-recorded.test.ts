import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import { type Project, preload } from "../support/run-app.ts";

let provider: FakeProvider;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  [provider, sink] = await Promise.all([fakeProvider({ usage: { input: 10, output: 100 } }), otlpSink()]);
  project = askingProject(provider, {
    policy: 'total: tenant.total > $0.03 -> deny\nother: tenant.hourly > $1 when feature == "chat" -> deny\n',
    config: { audit: { file: ".budget-guard/audit.jsonl" } },
    env: { ...sink.env, BUDGET_GUARD_FEATURE: "research" },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  project.remove();
});

describe("explain of a recorded call", () => {
  it("says of the guard's own audit lines and spans why the call was refused", { timeout: 60_000 }, async () => {
    const replies = await asked(project, provider, { calls: times(3) }, { flags: preload });
    expect(statuses(replies)).toEqual([200, 200, 402]);
    const lines = readFileSync(join(project.folder, ".budget-guard", "audit.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(lines).toHaveLength(3);
    const refused = lines.find((line) => JSON.parse(line).outcome === "refused") ?? "";
    project.write("refused.json", refused);
    project.write("spans.json", sink.received());
    for (const file of ["refused.json", "spans.json"]) {
      const { code, stdout, stderr } = await project.cli("explain", file, "--readings", "zero");
      expect(stderr).toMatch(/Recorded at 2\d{3}-\d\d-\d\dT[\d:.]+Z: deny by `total`\./);
      expect(stdout).toContain('Call      fixed-model of openai, tenant "acme", feature "research", run "');
      expect(stdout).toContain("estimated at $0.0125");
      expect(stdout).toMatch(/total +tenant\.total tenant=acme +\$0\.025 +\+\$0\.0125 +\$0\.03 +-\$0\.0075 +deny/);
      expect(stdout).toContain('no: feature is "research", not "chat"');
      expect(stdout).toContain('Denied by `total`. Tenant "acme" would reach $0.0375 of $0.0300 in total');
      expect(code).toBe(0);
    }
  });

  it("reads a line from stdin, and the last of several", { timeout: 60_000 }, async () => {
    await asked(project, provider, { calls: times(2) }, { flags: preload });
    const log = readFileSync(join(project.folder, ".budget-guard", "audit.jsonl"), "utf8");
    const script = "node_modules/budget-guard/dist/cli/main.js";
    const running = project.start({ flags: [], script, args: ["explain", "-", "--readings", "zero"] });
    running.process.stdin?.end(log);
    const { code, stdout, stderr } = await running.finished;
    expect(stderr).toContain("It holds 2 calls; the last one is explained.");
    expect(stderr).toContain(": allow.");
    expect(stdout).toMatch(/^Allowed\./m);
    expect(code).toBe(0);
  });

  it("says what is wrong with a line that is none", async () => {
    project.write("line.json", '{"v": 1, "time": "yesterday"}');
    expect(await project.cli("explain", "line.json")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("line.json is not a call:\n  time is not a time"),
    });
    project.write(
      "span.json",
      '{"traceId": "a", "spanId": "b", "startTimeUnixNano": "1776570420000000000", "endTimeUnixNano": "1776570421000000000"}',
    );
    expect(await project.cli("explain", "span.json")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("it records no call to a model"),
    });
  });
});
