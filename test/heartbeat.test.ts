import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHeartbeat, type Heartbeat } from "../src/heartbeat.ts";
import type { Store } from "../src/store/store.ts";

type Beat = Parameters<Store["extend"]>[0];

let beats: Beat[];
let heard: (() => void) | null;
let heartbeat: Heartbeat;
let failing: boolean;

beforeEach(() => {
  beats = [];
  heard = null;
  failing = false;
  const extend = async (holds: Beat): Promise<void> => {
    beats.push(holds);
    heard?.();
    if (failing) throw new Error("the ledger is away");
  };
  // 50 ms is the shortest pause between beats.
  heartbeat = createHeartbeat({ extend }, 150);
});
afterEach(() => {
  for (const attempt of ["a", "b"]) heartbeat.remove(attempt);
});

const nextBeat = (): Promise<void> =>
  new Promise((resolve) => {
    heard = resolve;
  });

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("a heartbeat", () => {
  it("renews every hold under way, three times in a lifetime", async () => {
    heartbeat.add("a");
    heartbeat.add("b");
    const before = performance.now();
    await nextBeat();
    expect(performance.now() - before).toBeLessThan(150);
    expect(beats[0]).toEqual([
      { attempt: "a", holdMs: 150 },
      { attempt: "b", holdMs: 150 },
    ]);
    heartbeat.remove("a");
    await nextBeat();
    expect(beats[1]).toEqual([{ attempt: "b", holdMs: 150 }]);
  });

  it("goes on when one is lost", async () => {
    failing = true;
    heartbeat.add("a");
    await nextBeat();
    await nextBeat();
    expect(beats).toHaveLength(2);
  });

  it("says nothing while nothing is under way, and keeps no process", async () => {
    const idle = timers();
    heartbeat.add("a");
    // An unreferenced timer is no active resource.
    expect(timers()).toBe(idle);
    heartbeat.remove("a");
    heartbeat.remove("a");
    heartbeat.add("b");
    await nextBeat();
    expect(beats).toEqual([[{ attempt: "b", holdMs: 150 }]]);
  });
});
