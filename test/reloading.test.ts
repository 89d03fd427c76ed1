import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passing } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { now } from "../src/clock.ts";
import { PolicyError } from "../src/errors.ts";
import { fixedPolicy, type LivePolicy, livePolicy } from "../src/reloading.ts";
import { readAgain, readFirst } from "../src/rereading.ts";
import { createLog } from "../src/telemetry/log.ts";
import type { PolicyEvent } from "../src/telemetry/telemetry.ts";
import { looksOf } from "../src/watching.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "budget-guard-reload-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

interface Process {
  readonly policy: LivePolicy;
  readonly said: string[];
  readonly events: PolicyEvent[];
  readonly reads: () => number;
  rule(): string | undefined;
}

/** A process that began with what stands in the folder, and watches it. */
function running(): Process {
  const where = { root: folder, policy: { paths: [folder], asked: false } };
  const said: string[] = [];
  const events: PolicyEvent[] = [];
  let reads = 0;
  const policy = livePolicy({
    first: readFirst(where),
    read: () => {
      reads += 1;
      return readAgain(where, policy.current().plan.files.length > 0);
    },
    log: createLog("info", (line) => said.push(line)),
    telemetry: { policy: (event) => events.push(event) },
    clock: now,
  });
  void policy.fresh();
  return { policy, said, events, reads: () => reads, rule: () => policy.current().plan.rules[0]?.id };
}

async function eventually(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("not within five seconds");
    await passing(10);
  }
}

describe("a policy that is watched", () => {
  it("tells of the new one, with its files, its hash and how many rules it has", async () => {
    write("a.budget", "tenant.daily > $1 -> deny\n");
    const one = running();
    const before = one.policy.current().plan.hash;
    write("a.budget", "tenant.daily > $2 -> deny\nrun.calls > 5 -> deny\n");
    await eventually(() => one.events.length > 0);
    const { plan } = one.policy.current();
    expect(plan.hash).not.toBe(before);
    expect(one.events).toEqual([{ kind: "reloaded", files: ["a.budget"], hash: plan.hash, rules: 2, diagnostics: 0 }]);
    expect(one.said).toEqual([
      `budget-guard: the policy has changed: 2 rules from a.budget are in force (${plan.hash})\n`,
    ]);
    expect(one.policy.current().rulesFor({ subject: { tenant: "acme", run: "r" }, modelAsSent: "m" })).toHaveLength(2);
  });

  it("tells of a broken one once, keeps the last good one, and tells when it is sound again", async () => {
    write("a.budget", "tenant.daily > $1 -> deny\n");
    const one = running();
    const { hash } = one.policy.current().plan;
    write("a.budget", "tenant.daily > 1 -> deny\nteant.daily > $1 -> deny\n");
    await eventually(() => one.events.length > 0);
    expect(one.events).toEqual([{ kind: "kept", files: ["a.budget"], hash, rules: 1, diagnostics: 2 }]);
    expect(one.said.join("")).toContain(`the last good one (${hash}) stays in force: it has 2 errors.`);
    // The same again is no news.
    write("a.budget", "tenant.daily > 1 -> deny\nteant.daily > $1 -> deny\n");
    await passing(900);
    expect(one.events).toHaveLength(1);
    write("a.budget", "tenant.daily > $1 -> deny\n");
    await eventually(() => one.said.length > 1);
    expect(one.said[1]).toBe("budget-guard: the policy is again the one in force\n");
    expect(one.rule()).toBe("tenant.daily > $1 -> deny");
  });

  it("warns of what could be better, as at the start", async () => {
    write("a.budget", "tenant.daily > $1 -> deny\n");
    const one = running();
    write("a.budget", "tenant.daily > $1 -> deny\ntenant.hourly > $2 -> deny\n");
    await eventually(() => one.events.length > 0);
    expect(one.said.join("")).toContain("the policy can be better");
  });

  it("is not read again while nothing changes", async () => {
    write("a.budget", "tenant.daily > $1 -> deny\n");
    // Long ago, so that its time is enough to tell whether it changed.
    utimesSync(join(folder, "a.budget"), 1_000_000, 1_000_000);
    const one = running();
    await eventually(() => one.reads() > 0);
    await passing(1_000);
    expect(one.reads()).toBe(1);
    expect(one.said).toEqual([]);
  });

  it("ends a process that starts with a broken one", () => {
    write("a.budget", "tenant.daily > 1 -> deny\n");
    expect(running).toThrow(PolicyError);
  });

  it("may be one that never changes", () => {
    write("a.budget", "tenant.daily > $1 -> deny\n");
    const { plan } = readFirst({ root: folder, policy: { paths: [folder], asked: false } });
    const fixed = fixedPolicy(plan);
    expect([fixed.fresh(), fixed.current().plan]).toEqual([null, plan]);
  });
});

describe("how files look", () => {
  const path = (name: string): string => join(folder, name);
  const looks = (at = now()): Promise<string> => looksOf([folder], () => at);

  it("is the same as long as nothing changes", async () => {
    write("a.budget", "one");
    expect(await looks()).toBe(await looks());
  });

  it.each<[string, () => void]>([
    ["a text that changed", () => write("a.budget", "three")],
    [
      "a text of the same size with the same time",
      () => {
        const at = new Date();
        utimesSync(path("a.budget"), at, at);
        write("a.budget", "two");
        utimesSync(path("a.budget"), at, at);
      },
    ],
    ["a policy that is added", () => write("b.budget", "")],
    ["a policy that is taken away", () => unlinkSync(path("a.budget"))],
    [
      "a policy that becomes a link to another",
      () => {
        unlinkSync(path("a.budget"));
        symlinkSync(path("else"), path("a.budget"));
      },
    ],
    [
      "a folder in place of a policy",
      () => {
        unlinkSync(path("a.budget"));
        mkdirSync(path("a.budget"));
      },
    ],
  ])("is another for %s", async (_, change) => {
    write("a.budget", "one");
    write("else", "other");
    const before = await looks();
    change();
    expect(await looks()).not.toBe(before);
  });

  it("is told by the bytes, too, while the times of a file may be too coarse to tell", async () => {
    write("a.budget", "one");
    expect((await looks()).length).toBeGreaterThan((await looks(now() + 10_000)).length);
  });

  it("says that there is nothing, and never rejects", async () => {
    expect(await looksOf([path("nothing")], now)).toContain("ENOENT");
    write("plain", "");
    expect(await looksOf([path("plain/below")], now)).toContain("ENOTDIR");
  });
});
