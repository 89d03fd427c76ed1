import { expect, it } from "vitest";
import { closest, editDistance } from "../../src/policy/suggest.ts";

it.each([
  ["", "", 0],
  ["abc", "abc", 0],
  ["abc", "acb", 1],
  ["abc", "ab", 1],
  ["abc", "xabc", 1],
  ["horuly", "hourly", 1],
  ["kitten", "sitting", 3],
])("the distance of %s and %s is %d edits, a swap counting once", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

it("a synonym wins, then the nearest with at most a third of its letters wrong, then nothing", () => {
  expect(closest("customer", ["user", "tenant"])).toBe("tenant");
  expect(closest("tenent", ["user", "tenant"])).toBe("tenant");
  expect(closest("TENANT", ["user", "tenant"])).toBe("tenant");
  expect(closest("xyz", ["user", "tenant"])).toBeNull();
  expect(closest("plan", ["run", "user"])).toBeNull();
});
