import { describe, expect, it } from "vitest";
import { dollars, figure, lasting, percent } from "../../src/cli/figures.ts";

describe("amounts", () => {
  it.each([
    [0, "$0.00"],
    [50, "$50.00"],
    [0.0125, "$0.0125"],
    [49.999, "$49.999"],
    [1234567.8, "$1,234,567.80"],
    [0.1 + 0.2, "$0.30"],
    [0.000001, "$0.000001"],
    [0.000000001, "$0.000000001"],
    [48.712345678, "$48.7123"],
  ])("shows %d dollars as %s", (amount, text) => {
    expect(dollars(amount)).toBe(text);
  });

  it("shows counts as integers, never in powers of ten", () => {
    expect(figure(9_007_199_254_740_991, "tokens")).toBe("9,007,199,254,740,991");
    expect(figure(12, "calls")).toBe("12");
  });

  it.each([
    [0, "0%"],
    [0.29, "29%"],
    [0.9999, "99%"],
    [1, "100%"],
    [1.2, "120%"],
  ])("shows the share %d as %s: all of it only where there is no room", (share, text) => {
    expect(percent(share)).toBe(text);
  });
});

describe("times", () => {
  it.each([
    [0, "1s"],
    [40_000, "40s"],
    [60_000, "1m"],
    [754_000, "12m"],
    [3_600_000, "1h"],
    [9_000_000, "2h 30m"],
    [90_000_000, "1d 1h"],
    [172_799_999, "2d"],
  ])("says %d ms as %s", (ms, text) => {
    expect(lasting(ms)).toBe(text);
  });
});
