import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { currentBudget, withBudget } from "../../src/call/context.ts";

describe("withBudget", () => {
  it("holds across what is awaited inside, and not outside", async () => {
    const inside = withBudget({ tenant: "acme" }, async () => {
      await sleep(1);
      return currentBudget();
    });
    expect(currentBudget()).toEqual({});
    expect(await inside).toEqual({ tenant: "acme" });
    expect(currentBudget()).toEqual({});
  });

  it("is inherited and refined by nested calls", () => {
    withBudget({ tenant: "acme", run: 7 }, () => {
      withBudget({ feature: "research", run: undefined }, () => {
        expect(currentBudget()).toEqual({ tenant: "acme", feature: "research", run: "7" });
      });
      expect(currentBudget()).toEqual({ tenant: "acme", run: "7" });
    });
  });

  it("keeps the name around it where a value is missing, empty or no name at all", () => {
    withBudget({ tenant: "acme", user: "ann" }, () => {
      const nameless = [undefined, null, "", "  ", {}, Object.create(null), Symbol("t"), () => "t"];
      for (const tenant of nameless) {
        const identity: Record<string, string> = JSON.parse("{}");
        Reflect.set(identity, "tenant", tenant);
        expect(withBudget(identity, currentBudget)).toEqual({ tenant: "acme", user: "ann" });
      }
    });
  });

  it("takes numbers and ids that are objects as they print", () => {
    const id = { toString: () => "65f0c0ffee" };
    const identity: Record<string, string> = JSON.parse("{}");
    Reflect.set(identity, "tenant", id);
    expect(withBudget({ ...identity, run: 0, user: 12n }, currentBudget)).toEqual({
      tenant: "65f0c0ffee",
      run: "0",
      user: "12",
    });
  });

  it("returns and throws what the function does", () => {
    expect(withBudget({}, () => 5)).toBe(5);
    expect(() =>
      withBudget({}, () => {
        throw new RangeError("mine");
      }),
    ).toThrow(RangeError);
  });

  it("is one for two copies of the package in a process", async () => {
    vi.resetModules();
    const copy = await import("../../src/call/context.ts");
    expect(copy.withBudget).not.toBe(withBudget);
    expect(withBudget({ tenant: "acme" }, () => copy.currentBudget())).toEqual({ tenant: "acme" });
  });
});
