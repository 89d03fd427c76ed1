import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { auditEntry } from "../../src/telemetry/audit-entry.ts";
import { AuditFile } from "../../src/telemetry/audit-file.ts";
import { type AuditLine, readAuditLine } from "../../src/telemetry/audit-line.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { aCall } from "../support/a-call.ts";
import { decided, ended, refused, stage, T0 } from "./scene.ts";
import { useTheatre } from "./theatre.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "budget-guard-audit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const arrival = { at: T0, traceId: null, baggage: {}, context: null };
const aLine = (attempt: string): AuditLine => auditEntry(arrival, decided({ call: aCall({ attempt }) }), ended());

/** The lines of a file; one that is not whole fails the test. */
function lines(path: string): readonly AuditLine[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => {
      const reading = readAuditLine(text);
      if (reading.kind !== "line") throw new Error(`${reading.why}: ${text}`);
      return reading.line;
    });
}

const attempts = (path: string): readonly string[] => lines(path).map(({ attempt }) => attempt);

function anAudit(path: string) {
  const said: string[] = [];
  return {
    audit: new AuditFile(
      path,
      createLog("debug", (line) => said.push(line)),
    ),
    said,
  };
}

describe("the audit log", () => {
  test("makes its folder and appends to what is there", async () => {
    const path = join(folder, ".budget-guard", "audit.jsonl");
    for (const name of ["one", "two"]) {
      const { audit, said } = anAudit(path);
      audit.add(aLine(name));
      await audit.flush();
      expect(said).toEqual([]);
    }
    expect(attempts(path)).toEqual(["one", "two"]);
  });

  test("keeps the order of a burst, and takes lines that come while it writes", async () => {
    const path = join(folder, "audit.jsonl");
    const { audit } = anAudit(path);
    const names = Array.from({ length: 500 }, (_, index) => `a${index}`);
    for (const name of names.slice(0, 300)) audit.add(aLine(name));
    const first = audit.flush();
    await new Promise((resolve) => setImmediate(resolve));
    for (const name of names.slice(300)) audit.add(aLine(name));
    await first;
    await audit.flush();
    expect(attempts(path)).toEqual(names);
  });

  test("forgets no line that comes just as it thinks it is done", async () => {
    const path = join(folder, "audit.jsonl");
    const { audit } = anAudit(path);
    for (let count = 1; count <= 400; count += 1) {
      audit.add(aLine(`a${count}`));
      for (let turn = 0; turn < count % 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (count % 4 !== 0) continue;
      await audit.flush();
      expect(attempts(path)).toHaveLength(count);
    }
  });

  test("may be moved away at any time", async () => {
    const path = join(folder, "audit.jsonl");
    const { audit } = anAudit(path);
    audit.add(aLine("one"));
    await audit.flush();
    renameSync(path, `${path}.1`);
    audit.add(aLine("two"));
    await audit.flush();
    expect([attempts(`${path}.1`), attempts(path)]).toEqual([["one"], ["two"]]);
  });

  test("that cannot be written says so once, and loses nothing once it can", async () => {
    const blocked = join(folder, "blocked");
    writeFileSync(blocked, "a file where a folder should be");
    const path = join(blocked, "audit.jsonl");
    const { audit, said } = anAudit(path);
    for (const name of ["one", "two"]) {
      audit.add(aLine(name));
      await audit.flush();
    }
    expect(said).toEqual([expect.stringContaining(`the audit log ${path} cannot be written`)]);
    rmSync(blocked);
    mkdirSync(blocked);
    audit.add(aLine("three"));
    await audit.flush();
    expect(attempts(path)).toEqual(["one", "two", "three"]);
  });

  test("bounds what it keeps for a disk that does not come back, and says that lines are lost", async () => {
    writeFileSync(join(folder, "blocked"), "");
    const { audit, said } = anAudit(join(folder, "blocked", "audit.jsonl"));
    const line = aLine("again");
    for (let index = 0; index < 10_002; index += 1) audit.add({ ...line, attempt: String(index) });
    await audit.flush();
    expect(said.filter((text) => text.includes("lines of the audit log are lost"))).toHaveLength(1);
  });
});

describe("telemetry", () => {
  test("writes a refused call at once, an allowed one when it is settled", async () => {
    const path = join(folder, "audit.jsonl");
    const { telemetry } = stage({ audit: path });
    telemetry.begin(telemetry.arrive(), refused({ call: aCall({ attempt: "refused" }) }));
    const sight = telemetry.begin(telemetry.arrive(), decided({ call: aCall({ attempt: "allowed" }) }));
    await telemetry.flush();
    expect(attempts(path)).toEqual(["refused"]);
    sight.end(ended());
    await telemetry.flush();
    expect(lines(path).map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      ["refused", "refused"],
      ["allowed", "success"],
    ]);
  });

  test("that is off still keeps the audit log, and a deployment without one has none", async () => {
    const path = join(folder, "audit.jsonl");
    const off = stage({ audit: path, otel: "off" });
    off.telemetry.begin(off.telemetry.arrive(), refused());
    await off.telemetry.flush();
    expect(lines(path)).toHaveLength(1);
    const none = stage();
    none.telemetry.begin(none.telemetry.arrive(), refused());
    await none.telemetry.flush();
    expect(existsSync(join(folder, ".budget-guard"))).toBe(false);
  });
});

describe("the end of a process", () => {
  const { start } = useTheatre();
  const run = (body: string) =>
    start(body, { env: { BUDGET_GUARD_TEST_AUDIT: join(folder, "audit.jsonl"), BUDGET_GUARD_OTEL: "off" } });
  const outcomes = (): readonly string[] => lines(join(folder, "audit.jsonl")).map(({ outcome }) => outcome);

  test.each([
    ["by itself", "refuse();", 0],
    ["by process.exit", "refuse(); refuse(); process.exit(3);", 3],
    [
      "by process.exit while lines are being written",
      "refuse(); setImmediate(() => { refuse(); process.exit(3); });",
      3,
    ],
    ["by an error that nobody catches", 'refuse(); throw new Error("402");', 1],
  ])("%s loses no line", async (_how, body, code) => {
    expect((await run(body).finished).code).toBe(code);
    expect(new Set(outcomes())).toEqual(new Set(["refused"]));
    expect(outcomes().length).toBeGreaterThanOrEqual(body.split("refuse()").length - 1);
  });

  test("by a signal loses no line, and still ends it", async () => {
    const running = run(`console.log("ready"); setInterval(() => {}, 1000);
      process.stdin.once("data", () => { for (let i = 0; i < 2000; i++) refuse(); process.kill(process.pid, "SIGTERM"); });`);
    await running.printed("ready");
    running.tell("now");
    expect(await running.finished).toMatchObject({ signal: "SIGTERM" });
    expect(outcomes()).toHaveLength(2000);
  });

  test("and several processes at once share one file without running into each other", async () => {
    const body = "for (let i = 0; i < 300; i++) { refuse(); if (i % 50 === 0) await new Promise(setImmediate); }";
    const all = await Promise.all([run(body), run(body), run(body)].map(({ finished }) => finished));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(outcomes()).toHaveLength(900);
  });
});
