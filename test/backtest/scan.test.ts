import { describe, expect, it } from "vitest";
import { type Piece, Scanner } from "../../src/backtest/scan.ts";

/** Everything found in a text that arrives in chunks of so many bytes. */
function scan(text: string, size = 1_000_000): Piece[] {
  const scanner = new Scanner();
  const bytes = Buffer.from(text);
  const found: Piece[] = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...scanner.push(bytes.subarray(at, at + size)));
  return [...found, ...scanner.end()];
}

const texts = (pieces: readonly Piece[]): unknown[] =>
  pieces.map((piece) => (piece.kind === "broken" ? piece.why : JSON.parse(piece.text)));

const span = (id: number) => ({
  spanId: String(id),
  attributes: [{ key: "}{", value: { stringValue: 'a "b" \\ {[' } }],
});
const line = (...ids: number[]) => ({
  resourceSpans: [
    { resource: { attributes: [{ key: "host", value: "ä" }] }, scopeSpans: [{ scope: {}, spans: ids.map(span) }] },
  ],
});

describe("a scanner", () => {
  const forms: readonly (readonly [string, string, number])[] = [
    ["lines of exports", `${JSON.stringify(line(1, 2))}\n${JSON.stringify(line(3))}\n`, 3],
    ["an array of exports", JSON.stringify([line(1), line(2, 3)]), 3],
    [
      "one export in many lines",
      JSON.stringify({ resourceSpans: [...line(1, 2).resourceSpans, ...line(3).resourceSpans] }, null, 2),
      3,
    ],
    ["single spans", `${JSON.stringify(span(1))}\r\n${JSON.stringify(span(2))}\r\n${JSON.stringify(span(3))}`, 3],
    ["an array with a line for each", `[\n${JSON.stringify(span(1))},\n${JSON.stringify(span(2))}\n]\n`, 2],
    ["lines behind a byte order mark", `\uFEFF${JSON.stringify(span(1))}\n`, 1],
  ];

  it.each(forms)("finds every span in %s, wherever the chunks are cut", (_, text, spans) => {
    const whole = scan(text);
    expect(whole.filter(({ kind }) => kind !== "broken")).toHaveLength(spans);
    expect(texts(whole).map((found) => (found as { spanId: string }).spanId)).toEqual(["1", "2", "3"].slice(0, spans));
    for (const size of [1, 2, 3, 7, 64]) expect(scan(text, size)).toEqual(whole);
  });

  it("gives each span the resource above it", () => {
    const other = { resourceSpans: [{ scopeSpans: [{ spans: [span(2)] }] }] };
    const found = scan(`${JSON.stringify(line(1))}\n${JSON.stringify(other)}`);
    expect(found).toMatchObject([
      { kind: "span", resource: expect.stringContaining("ä") },
      { kind: "span", resource: null },
    ]);
  });

  it("loses a line that is cut off and no other", () => {
    const text = [
      JSON.stringify(span(1)),
      JSON.stringify(line(9)).slice(0, JSON.stringify(line(9)).indexOf("scope") - 2),
      JSON.stringify(span(2)),
      '{"text": "without an end',
      JSON.stringify(span(3)),
      "not JSON at all",
      '{"a": ]}',
      JSON.stringify(span(4)),
    ].join("\n");
    for (const size of [1, 5, 1_000]) {
      const found = scan(text, size);
      expect(found.filter(({ kind }) => kind === "value").map((piece) => texts([piece])[0])).toEqual(
        [1, 2, 3, 4].map(span),
      );
      expect(found.filter(({ kind }) => kind === "broken").map((piece) => texts([piece])[0])).toEqual([
        "a line is cut off",
        "a line ends inside a text",
        "no JSON",
        "brackets do not match",
      ]);
    }
  });

  it("says that the file is cut off", () => {
    expect(texts(scan(`${JSON.stringify(span(1))}\n{"spanId": `))).toEqual([span(1), "the file is cut off"]);
    expect(scan("")).toEqual([]);
  });

  it("keeps no more of an export than the span that it is in", () => {
    const scanner = new Scanner();
    scanner.push(Buffer.from('{"resourceSpans": [{"scopeSpans": [{"spans": ['));
    const one = Buffer.from(`${JSON.stringify({ spanId: "1", pad: "x".repeat(10_000) })},`);
    let found = 0;
    for (let n = 0; n < 20_000; n++) found += scanner.push(one).length;
    expect(found).toBe(20_000);
    // 200 MB went by: the heap would hold them all.
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(150_000_000);
  });

  it("passes over a value that no call can be", () => {
    const scanner = new Scanner();
    scanner.push(Buffer.from('{"pad": "'));
    const pad = Buffer.alloc(1 << 20, 0x61);
    for (let n = 0; n < 40; n++) scanner.push(pad);
    expect(scanner.push(Buffer.from(`"}\n${JSON.stringify(span(1))}\n`))).toMatchObject([
      { kind: "broken", why: "a value is longer than 32 MB" },
      { kind: "value" },
    ]);
  });
});
