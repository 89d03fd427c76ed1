import { describe, expect, it } from "vitest";
import { parseBytes } from "../../src/call/json.ts";

describe("a body that is parsed from its bytes", () => {
  it("reads the same at every length, with and without letters past ASCII", () => {
    for (const length of [10, 262_143, 262_144, 600_000, 1_031_912, 1_031_913, 1_300_000]) {
      for (const word of ["budget", "Größe", "预算"]) {
        const text = `${word}\n`.repeat(Math.ceil(length / word.length));
        expect(parseBytes(Buffer.from(JSON.stringify({ text }))), `${word} ${length}`).toEqual({ text });
      }
      const exact = JSON.stringify("a".repeat(length - 2));
      expect(parseBytes(Buffer.from(exact)) === "a".repeat(length - 2)).toBe(true);
    }
  });

  it("is undefined where it is cut or followed by something else, however long", () => {
    const whole = JSON.stringify({ text: "a".repeat(400_000) });
    expect(parseBytes(Buffer.from(whole.slice(0, -1)))).toBeUndefined();
    expect(parseBytes(Buffer.from(`${whole}}`))).toBeUndefined();
  });
});
