import { describe, expect, it } from "vitest";
import { parseBytes } from "../../src/call/json.ts";
import { LongText } from "../../src/call/long-text.ts";
import { skim } from "../../src/call/skim.ts";
import { type Random, random, someJson, spelled, unicode } from "./random-json.ts";

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

  it("knows the ends of each text that it did not decode, and its length where nothing in it is escaped", () => {
    let exact = 0;
    const measure = (value: unknown): void => {
      if (value instanceof LongText) {
        const text = value.toString();
        const bytes = Buffer.byteLength(text);
        expect(value.length).toBe(text.length);
        expect(value.slice(3, 40).toString()).toBe(text.slice(3, 40));
        expect(value.slice(-48).toString()).toBe(text.slice(-48));
        expect(value.slice(9).toString()).toBe(text.slice(9));
        expect(value.bytes).toBeLessThanOrEqual(value.json().length);
        if (value.json().includes("\\")) return;
        exact += 1;
        expect([value.bytes, value.jsonBytes()]).toEqual([bytes, bytes + 2]);
      } else if (typeof value === "object" && value !== null) for (const held of Object.values(value)) measure(held);
    };
    for (let seed = 1; seed <= 200; seed += 1) {
      const dice = random(seed);
      measure(read(spelled(someJson(dice, 4), dice)));
    }
    expect(exact).toBeGreaterThan(50);
  });

  it.each([
    ["prose", "A budget is a promise that was kept,\nsaid the clerk on the 3rd of May.\n\n"],
    ["a program", 'const told = say("no", { to: "all", of: [\'us\'] });\n\tif (told) return "C:\\\\x";\n'],
    ["JSON within JSON", JSON.stringify({ path: "src/clerk.ts", text: 'say("no", { to: "all" });\n', lines: [1, 2] })],
    ["Chinese", "预算是一种承诺，会计在五月三日说。\n"],
  ])("counts the bytes of what is escaped within 3 %%: %s", (_name, words) => {
    for (const spell of [(json: string) => json, (json: string) => json.replace(/[^\0-\x7f]/g, unicode)]) {
      const texts = Array.from({ length: 60 }, (_, index) => words.repeat(20 + index).slice(index));
      const skimmed = read(spell(JSON.stringify([...texts, words.repeat(4_000)]))) as LongText[];
      const [last] = skimmed.slice(-1);
      const counted = skimmed.reduce((sum, { bytes }) => sum + bytes, -(last?.bytes ?? 0));
      const exact = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      expect(skimmed.every((text) => text instanceof LongText)).toBe(true);
      expect(counted / exact).toBeCloseTo(1, 1.2);
      expect((last?.bytes ?? 0) / Buffer.byteLength(words.repeat(4_000))).toBeCloseTo(1, 1.2);
    }
  });

  it("is no JSON where what stands around its long texts is none; what is wrong within one is as it is spelled", () => {
    let within = 0;
    for (let seed = 1; seed <= 600; seed += 1) {
      const dice = random(seed);
      const json = Buffer.from(spelled(someJson(dice, 4), dice));
      const broken = mangled(json, dice);
      const parsed = parseBytes(broken);
      const skimmed = read(broken);
      if (parsed !== undefined) expect(decoded(skimmed), `seed ${seed}`).toEqual(decoded(parsed));
      else if (skimmed !== undefined) {
        within += 1;
        expect(countLong(skimmed), `seed ${seed}`).toBeGreaterThan(0);
        expect(() => JSON.stringify(skimmed)).not.toThrow();
      }
    }
    expect(within).toBeGreaterThan(20);
    const long = "a".repeat(700);
    expect(decoded(read(`["${long}\\x", 1]`))).toEqual([`${long}\\x`, 1]);
    for (const wrong of [`["${long}"`, `["${long}", x]`, `["${long}`, `["${long}\\"]`, `["${long}\\`]) {
      expect(read(wrong), wrong.slice(-5)).toBeUndefined();
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
    const body = { forged: "\u007f0", long, "\u007f1": "\u007f1", list: ["\u007f", `\u007f${long}`] };
    const json = JSON.stringify(body);
    const escaped = ["\\u007f", "\\u007F"].map((spelling) => json.replaceAll("\u007f", spelling));
    for (const one of [json, ...escaped]) expect(decoded(read(one))).toEqual(body);
    expect(decoded(read(JSON.stringify({ only: "\\u007f0", long })))).toEqual({ only: "\\u007f0", long });
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
