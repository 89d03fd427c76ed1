import { describe, expect, it } from "vitest";
import { isLines, lineReader } from "../../src/response/lines.ts";

/** What a reader of these pieces was told, and what it counted. */
function readAll(pieces: readonly string[]) {
  const told: unknown[] = [];
  const reader = lineReader({ take: (json) => told.push(json), facts: () => neverAsked() }, ['"content"']);
  for (const piece of pieces) reader.push(Buffer.from(piece, "latin1"));
  return { told, counts: reader.finish() };
}

function neverAsked(): never {
  throw new Error("not asked here");
}

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");
const stream = latin1('{"model":"m","content":"é"}\n{"content":"two"}\r\n\n{"done":true,"eval_count":2}');

describe("an answer in lines", () => {
  it("is read the same however it is cut, its last line without an end too", () => {
    const whole = readAll([stream]);
    expect(whole.told).toEqual([
      { model: "m", content: "é" },
      { done: true, eval_count: 2 },
    ]);
    expect(whole.counts).toEqual({ deltaBytes: 5, deltas: 2 });
    expect(readAll([...stream])).toEqual(whole);
  });

  it("passes over what is no JSON, and lines without end in bounded memory", () => {
    const { told } = readAll([
      "{broken\n",
      `{"done":true,"x":"${"y".repeat(9 * 1024 * 1024)}`,
      '"}\n',
      '{"done":true}\n',
    ]);
    expect(told.at(-1)).toEqual({ done: true });
    expect(told.length).toBeLessThanOrEqual(3);
  });

  it("is told by its content type", () => {
    expect(
      ["application/x-ndjson", "application/x-ndjson; charset=utf-8", "application/stream+json"].every(isLines),
    ).toBe(true);
    expect([undefined, "application/json", "text/event-stream"].some(isLines)).toBe(false);
  });
});
