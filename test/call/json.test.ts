import { describe, expect, it } from "vitest";
import { fields, list, parseBody, parseBytes, text, undecoded } from "../../src/call/json.ts";
import { LongText } from "../../src/call/long-text.ts";

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

describe("a long text that was not decoded", () => {
  const said = "Größe\n".repeat(20_000);
  const body = fields(parseBody(Buffer.from(JSON.stringify({ said, short: "s" }))));

  it("is a text, and neither an object nor a list", () => {
    expect(body?.said).toBeInstanceOf(LongText);
    expect([fields(body?.said), list(body?.said), list([body?.said])]).toEqual([null, [], [body?.said]]);
    expect(text(body?.said) === said).toBe(true);
    expect([undecoded(body?.said), undecoded(body?.short), undecoded(""), undecoded(7)]).toEqual([
      body?.said,
      "s",
      null,
      null,
    ]);
  });

  it("is written and shown as what it says", () => {
    expect(JSON.stringify(body) === JSON.stringify({ said, short: "s" })).toBe(true);
    expect(`${body?.said}` === said).toBe(true);
  });
});
