import { describe, expect, it } from "vitest";
import { teacher } from "../src/learned.ts";
import { BUCKETS, bucketOf } from "../src/store/histogram.ts";
import type { Histogram } from "../src/store/store.ts";

/** A histogram of these values, as the ledger keeps it. */
function histogram(values: readonly number[]): Histogram {
  const counts = BUCKETS.map(() => 0);
  for (const value of values) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0) + 1;
  return counts;
}

const times = (n: number, value: number): readonly number[] => Array.from({ length: n }, () => value);

interface Ledger {
  readonly name: string;
  recall(keys: readonly string[]): Promise<readonly (Histogram | null)[]>;
  readonly asked: string[][];
}

function ledger(answer: (key: string) => Histogram | null): Ledger {
  const asked: string[][] = [];
  return {
    name: "test",
    asked,
    recall: async (keys) => {
      asked.push([...keys]);
      return keys.map(answer);
    },
  };
}

describe("what is learned", () => {
  it("is nothing before there are twenty lessons, then their upper end", async () => {
    const few = teacher(
      ledger(() => histogram(times(19, 100))),
      () => 0,
    );
    expect(await few("openai", "gpt-5", "f")).toEqual({ inputMillis: null, outputTokens: null });
    const enough = teacher(
      ledger(() => histogram([...times(18, 100), ...times(2, 3_000)])),
      () => 0,
    );
    const { outputTokens } = await enough("openai", "gpt-5", "f");
    expect(outputTokens).toBeGreaterThanOrEqual(3_000);
    expect(outputTokens).toBeLessThan(5_000);
  });

  it("raises an estimate of input only where lessons are surely above it", async () => {
    const at = async (millis: number): Promise<number | null> =>
      (
        await teacher(
          ledger((key) => (key.startsWith("in|") ? histogram(times(30, millis)) : null)),
          () => 0,
        )("p", "m", "f")
      ).inputMillis;
    // The bucket that holds 1,000 reaches above it.
    expect(BUCKETS.find((bound) => bound >= 1_000)).toBeGreaterThan(1_000);
    expect(await at(1_000)).toBe(1_000);
    expect(await at(990)).toBeLessThanOrEqual(1_000);
    expect(await at(2_000)).toBeGreaterThanOrEqual(2_000);
    expect(await at(500)).toBeLessThan(1_000);
  });

  it("is asked of the ledger once a minute for each model and feature", async () => {
    let now = 0;
    const store = ledger(() => null);
    const learned = teacher(store, () => now);
    await learned("openai", "gpt-5", "f");
    await learned("openai", "gpt-5", "f");
    expect(store.asked).toEqual([["in|openai|gpt-5", "out|openai|gpt-5|f"]]);
    await learned("openai", "gpt-5", "g");
    expect(store.asked).toHaveLength(2);
    now = 60_000;
    await learned("openai", "gpt-5", "g");
    expect(store.asked).toHaveLength(3);
  });

  it("is asked once by calls that begin together", async () => {
    const store = ledger(() => null);
    const learned = teacher(store, () => 0);
    await Promise.all(times(50, 0).map(() => learned("openai", "gpt-5", "f")));
    expect(store.asked).toHaveLength(1);
  });

  it("is nothing while the ledger is away, and is asked for again by the next call", async () => {
    let away = true;
    const store = ledger(() => histogram(times(20, 100)));
    const flaky = {
      ...store,
      recall: (keys: readonly string[]) => (away ? Promise.reject(new Error("away")) : store.recall(keys)),
    };
    const learned = teacher(flaky, () => 0);
    expect(await learned("p", "m", "f")).toEqual({ inputMillis: null, outputTokens: null });
    away = false;
    expect((await learned("p", "m", "f")).outputTokens).not.toBeNull();
  });

  it("keeps no call waiting for a ledger that does not answer, and serves the next call with what comes late", async () => {
    let answer: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = {
      name: "slow",
      recall: async (keys: readonly string[]) => {
        await late;
        return keys.map(() => histogram(times(20, 100)));
      },
    };
    const learned = teacher(slow, () => 0, 5);
    expect(await learned("p", "m", "f")).toEqual({ inputMillis: null, outputTokens: null });
    answer();
    expect((await learned("p", "m", "f")).outputTokens).not.toBeNull();
  });

  it("does not fill the memory with names that callers invent", async () => {
    const store = ledger(() => null);
    const learned = teacher(store, () => 0);
    for (let i = 0; i < 1_500; i++) await learned("openai", `m-${i}`, "f");
    const asked = store.asked.length;
    await learned("openai", "m-0", "f");
    // What was known first was let go to make room.
    expect(store.asked.length).toBe(asked + 1);
  });
});
