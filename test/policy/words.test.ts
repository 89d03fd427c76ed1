import { describe, expect, it } from "vitest";
import { amountPair, amountText } from "../../src/policy/words.ts";

const nano = (dollars: number): number => Math.round(dollars * 1e9);

describe("an amount beside its limit", () => {
  it.each([
    [50.02, 50, "$50.02", "$50.00"],
    [0.1004, 0.1, "$0.1004", "$0.1000"],
    [0.025, 0.02, "$0.025", "$0.020"],
    [0.1125, 0.1, "$0.113", "$0.100"],
    [12_345.678, 10_000, "$12,345.68", "$10,000.00"],
    [0.000002, 0.000001, "$0.000002", "$0.000001"],
    [0, 5, "$0.00", "$5.00"],
  ])("$%s of $%s is told apart and right within half a percent", (amount, limit, shown, of) => {
    expect(amountPair("cost", nano(amount), nano(limit))).toEqual([shown, of]);
  });

  it("is a whole number where it is no money", () => {
    expect(amountPair("tokens", 1_234_567, 1_000_000)).toEqual(["1,234,567", "1,000,000"]);
  });

  it("alone has cents, and more only where cents would hide it", () => {
    expect([50, 0.5, 0.0042].map((one) => amountText("cost", nano(one)))).toEqual(["$50.00", "$0.50", "$0.0042"]);
  });
});
