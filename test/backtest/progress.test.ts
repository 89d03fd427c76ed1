import { describe, expect, it } from "vitest";
import { Progress } from "../../src/backtest/progress.ts";

function drawn(total: number, columns = 200) {
  const written: string[] = [];
  let now = 1_000;
  const progress = new Progress({ total, columns, clock: () => now, write: (text) => void written.push(text) });
  const pass = (ms: number, bytes: number): void => {
    now += ms;
    progress.add(bytes);
  };
  return { progress, written, pass };
}

describe("a progress line", () => {
  it("says how far the reading is, how fast, and how long it still takes", () => {
    const { written, pass } = drawn(400_000_000);
    pass(1_000, 100_000_000);
    expect(written).toEqual(["\r[######..................] 25%  100 MB of 400 MB  100 MB/s  3s left\x1b[K"]);
  });

  it("is drawn ten times a second at most, and not at all for what is over at once", () => {
    const { progress, written, pass } = drawn(1_000);
    pass(20, 500);
    pass(20, 500);
    progress.end();
    expect(written).toEqual([]);
    pass(100, 0);
    pass(50, 0);
    expect(written).toHaveLength(1);
    progress.end();
    expect(written.at(-1)).toBe("\r\x1b[K");
  });

  it("never wraps", () => {
    const { written, pass } = drawn(5_000_000_000, 30);
    pass(500, 1_400_000);
    expect(written[0]?.replace("\r", "").replace("\x1b[K", "")).toHaveLength(29);
  });
});
