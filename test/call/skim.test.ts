import { describe, expect, it } from "vitest";
import { parseBytes } from "../../src/call/json.ts";
import { LongText } from "../../src/call/long-text.ts";
import { skim } from "../../src/call/skim.ts";
import { type Random, random, someJson, spelled } from "./random-json.ts";

/** The value with its long texts decoded. */
const decoded = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null");

function countLong(value: unknown): number {
  if (value instanceof LongText) return 1;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, held) => sum + countLong(held), 0);
}

const read = (json: string | Buffer): unknown => skim(Buffer.from(json), parseBytes);

describe("a body that is skimmed", () => {
  it("says what it says when it is parsed, however it is spelled", () => {
    let long = 0;
    for (let seed = 1; seed <= 400; seed += 1) {
      const dice = random(seed);
      const json = spelled(someJson(dice, 5), dice);
      const skimmed = read(json);
      long += countLong(skimmed);
      expect(decoded(skimmed), `seed ${seed}`).toEqual(JSON.parse(json));
      expect(JSON.stringify(skimmed), `seed ${seed}`).toBe(JSON.stringify(JSON.parse(json)));
    }
    expect(long).toBeGreaterThan(400);
  });

  it("knows the length of each text that it did not decode", () => {
    const measure = (value: unknown): void => {
      if (value instanceof LongText) {
        const text = value.toString();
        expect(value.bytes).toBe(Buffer.byteLength(text));
        expect(value.length).toBe(text.length);
        expect(value.jsonBytes()).toBe(Buffer.byteLength(JSON.stringify(text)));
        expect(value.slice(3, 40).toString()).toBe(text.slice(3, 40));
        expect(value.slice(-48).toString()).toBe(text.slice(-48));
        expect(value.slice(9).toString()).toBe(text.slice(9));
      } else if (typeof value === "object" && value !== null) for (const held of Object.values(value)) measure(held);
    };
    for (let seed = 1; seed <= 200; seed += 1) {
      const dice = random(seed);
      measure(read(spelled(someJson(dice, 4), dice)));
    }
  });

  it("is no JSON where it is none when it is parsed", () => {
    for (let seed = 1; seed <= 600; seed += 1) {
      const dice = random(seed);
      const json = Buffer.from(spelled(someJson(dice, 4), dice));
      const broken = mangled(json, dice);
      const parsed = parseBytes(broken);
      const skimmed = read(broken);
      expect(skimmed === undefined, `seed ${seed}`).toBe(parsed === undefined);
      if (parsed !== undefined) expect(decoded(skimmed), `seed ${seed}`).toEqual(decoded(parsed));
    }
  });

  it("is no JSON where a line breaks within a text", () => {
    for (const control of ["\n", "\r", "\t"]) {
      const json = (within: string): string => `{"a": ["${"d".repeat(700)}"],\r\n\t"b": "${"e".repeat(700)}${within}"}`;
      expect(read(json(""))).toMatchObject({ b: expect.any(LongText) });
      expect(read(json(control))).toBeUndefined();
    }
  });

  it("keeps what looks like the mark of a text that was cut out", () => {
    const long = "a".repeat(2_000);
    const body = { forged: "\u00800", long, "\u00801": "\u00801", list: ["\u0080", `\u0080${long}`] };
    const json = JSON.stringify(body);
    const escaped = json.replaceAll("\u0080", "\\u0080");
    for (const one of [json, escaped]) expect(decoded(read(one))).toEqual(body);
    expect(decoded(read(JSON.stringify({ only: "\\u00800", long })))).toEqual({ only: "\\u00800", long });
  });

  it("cuts out values and no names", () => {
    const name = "n".repeat(3_000);
    const value = read(`{"${name}" \n : "${name}", "__proto__": "${name}", "0": ["${name}" ]}`);
    expect(countLong(value)).toBe(3);
    expect(Object.keys(value as object)).toEqual(["0", name, "__proto__"]);
    expect(JSON.stringify(value)).toBe(`{"0":["${name}"],"${name}":"${name}","__proto__":"${name}"}`);
  });

  it("may be one text, hold a name twice, or be nested deeper than the stack goes", () => {
    const long = "b".repeat(5_000);
    expect(String(read(`"${long}"`))).toBe(long);
    expect(decoded(read(`{"a":"${long}","b":1,"a":"${long}!"}`))).toEqual({ a: `${long}!`, b: 1 });
    const deep = read(`{"long":"${long}","deep":${"[".repeat(200_000)}${"]".repeat(200_000)}}`);
    expect(deep).toMatchObject({ long: expect.any(LongText) });
  });

  it("is read whole where a few texts are not nearly all of it, or where it is no UTF-8", () => {
    const long = "c".repeat(5_000);
    const small = Array.from({ length: 20_000 }, (_, index) => ({ id: `item ${index}` }));
    expect(countLong(read(JSON.stringify([small, long])))).toBe(0);
    expect(countLong(read(JSON.stringify([long, small.slice(0, 20)])))).toBe(1);
    const bad = Buffer.from(JSON.stringify([long]));
    bad[100] = 0xff;
    expect(decoded(read(bad))).toEqual([`${"c".repeat(98)}\ufffd${"c".repeat(4_901)}`]);
  });
});

/** The same bytes with some cut off, changed, doubled or left out; never with a bare control character in a text. */
function mangled(json: Buffer, dice: Random): Buffer {
  const at = dice(json.length);
  const [before, after] = [json.subarray(0, at), json.subarray(at)];
  switch (dice(4)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, Buffer.from(['"', "\\", "{", "]", ",", ":", "u", "x", " "][dice(9)] ?? ""), after]);
    case 2:
      return Buffer.concat([before, after.subarray(1)]);
    default:
      return Buffer.concat([before, Buffer.from('"\\u12'), after]);
  }
}
