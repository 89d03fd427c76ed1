import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UsageReader } from "../../src/call/provider.ts";
import { arrayReader } from "../../src/response/json-array.ts";

const noFacts: UsageReader["facts"] = () => {
  throw new Error("not asked");
};

/** What a reader is told of `body`, which comes in chunks of `sizes` bytes, the last size again and again. */
function read(body: string | Buffer, sizes: readonly number[] = [1_000]) {
  const taken: unknown[] = [];
  const reader = arrayReader({ take: (json) => taken.push(json), facts: noFacts }, ['"text"']);
  const bytes = Buffer.from(body);
  let at = 0;
  for (let n = 0; at < bytes.length; n += 1) {
    const size = sizes[Math.min(n, sizes.length - 1)] ?? 1;
    reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { taken, ...reader.finish() };
}

describe("a JSON array that streams", () => {
  it("is told element by element, each as soon as it is whole", () => {
    const taken: unknown[] = [];
    const reader = arrayReader({ take: (json) => taken.push(json), facts: noFacts }, ['"text"']);
    reader.push(Buffer.from('[{"text":"He'));
    expect(taken).toEqual([]);
    reader.push(Buffer.from('llo"}\n,\r\n{"text":" there"'));
    expect(taken).toEqual([{ text: "Hello" }]);
    reader.push(Buffer.from("}"));
    expect(taken).toEqual([{ text: "Hello" }, { text: " there" }]);
    reader.push(Buffer.from("\n]"));
    expect(reader.finish()).toEqual({ deltaBytes: 11, deltas: 2 });
  });

  it("gives what came whole where it is cut off", () => {
    expect(read('[{"text":"one"},{"text":"tw')).toMatchObject({ taken: [{ text: "one" }], deltaBytes: 3, deltas: 1 });
  });

  it("is not confused by brackets, quotes and backslashes in a text", () => {
    const text = '}]{["\\"\\\\ \\u007d é 漢字 \\\\';
    for (const size of [1, 2, 3, 7]) {
      expect(read(JSON.stringify([{ a: { text } }, { b: [text, {}] }]), [size]).taken).toEqual([
        { a: { text } },
        { b: [text, {}] },
      ]);
    }
  });

  it("has nothing to say where its elements are numbers, texts or lists", () => {
    expect(read('[1,"{\\"text\\":\\"a\\"}",[[0.1,{"text":"a"}]],null,true]')).toEqual({
      taken: [],
      deltaBytes: 0,
      deltas: 0,
    });
  });

  it("holds elements of any form, cut anywhere", () => {
    const one = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue()));
    fc.assert(
      fc.property(fc.array(one), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (elements, sizes) => {
        const expected: unknown = JSON.parse(JSON.stringify(elements));
        expect(read(JSON.stringify(elements), sizes).taken).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves a picture out and still reads what stands behind it", () => {
    const picture = "A".repeat(30_000_000);
    const body = JSON.stringify([{ inlineData: { data: picture }, usageMetadata: { totalTokenCount: 7 } }, { n: 2 }]);
    expect(read(body, [65_536]).taken).toEqual([
      { inlineData: { data: "" }, usageMetadata: { totalTokenCount: 7 } },
      { n: 2 },
    ]);
  });

  it("stays small whatever comes, and takes up again behind an element without end", () => {
    const reader = arrayReader({ take: () => undefined, facts: noFacts }, ['"text"']);
    const chunk = Buffer.from('{"a":1},'.repeat(8_192));
    reader.push(Buffer.from('[{"endless":['));
    for (let n = 0; n < 200; n += 1) reader.push(chunk);
    setFlagsFromString("--expose-gc");
    const gc: () => void = runInNewContext("gc");
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 1_000; n += 1) reader.push(chunk);
    gc();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
    reader.finish();
    expect(read(`[{"endless":[${"1,".repeat(5_000_000)}1]},{"n":2}]`, [65_536]).taken).toEqual([{ n: 2 }]);
  });
});
