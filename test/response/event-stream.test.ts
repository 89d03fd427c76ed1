import { describe, expect, it } from "vitest";
import { eventStreamReader } from "../../src/response/event-stream.ts";
import { createReader } from "../../src/response/reader.ts";
import type { EventCounts } from "../../src/response/sse.ts";
import { at } from "../call/builders.ts";
import { awsChunk, awsEvent, awsException, message, rawHeader } from "./aws-events.ts";

/** Reads a stream in pieces; returns what the usage reader was told, and the counts. */
function read(stream: Buffer, piece = 1_000_000): { told: unknown[]; counts: EventCounts } {
  const told: unknown[] = [];
  const facts = () => {
    throw new Error("not asked for");
  };
  const reader = eventStreamReader({ take: (json) => told.push(json), facts }, ['"delta"', '"generation"', '"text"']);
  for (let at = 0; at < stream.length; at += piece) reader.push(stream.subarray(at, at + piece));
  return { told, counts: reader.finish() };
}

const said = (text: string) => awsEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text }, p: "abcdefgh" });
const stop = awsEvent("messageStop", { stopReason: "end_turn" });
const metadata = awsEvent("metadata", { usage: { inputTokens: 3, outputTokens: 4 } });
const converse = Buffer.concat([
  awsEvent("messageStart", { role: "assistant" }),
  said("Grüße, 猫"),
  said(""),
  stop,
  metadata,
]);

describe("a stream of Converse", () => {
  it("tells events with news under their own names, and of text its length alone", () => {
    const { told, counts } = read(converse);
    expect(told).toEqual([
      { messageStart: { role: "assistant" } },
      { messageStop: { stopReason: "end_turn" } },
      { metadata: { usage: { inputTokens: 3, outputTokens: 4 } } },
    ]);
    expect(counts).toEqual({ deltaBytes: Buffer.byteLength("Grüße, 猫"), deltas: 1 });
  });

  it("reads the same however it is split", () => {
    for (const piece of [1, 2, 3, 5, 7, 11, 12, 13, 64, 4096]) expect(read(converse, piece)).toEqual(read(converse));
  });

  it("tells an exception under its type", () => {
    const { told } = read(Buffer.concat([said("hi"), awsException("throttlingException", "slow down")]));
    expect(told).toEqual([{ throttlingException: { message: "slow down" } }]);
  });

  it("counts what came before it was cut off", () => {
    expect(read(Buffer.concat([said("hello"), metadata.subarray(0, 20)]))).toEqual({
      told: [],
      counts: { deltaBytes: 5, deltas: 1 },
    });
  });
});

describe("a stream of a model's own events", () => {
  it("is taken out of its base64", () => {
    const metrics = { type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 8 } };
    const { told, counts } = read(
      Buffer.concat([awsChunk({ generation: "héllo", stop_reason: null }), awsChunk(metrics)]),
    );
    expect(told).toEqual([metrics]);
    expect(counts).toEqual({ deltaBytes: 6, deltas: 1 });
  });

  it("counts a text once where its key stands inside of a delta", () => {
    const event = { type: "content_block_delta", delta: { type: "text_delta", text: "four" } };
    expect(read(awsChunk(event)).counts).toEqual({ deltaBytes: 4, deltas: 1 });
  });
});

describe("a message that is not as usual", () => {
  it("may have headers of every type around the one that tells its kind", () => {
    const numbers = [
      rawHeader("a", Buffer.from([0])),
      rawHeader("b", Buffer.from([1])),
      rawHeader("c", Buffer.from([2, 9])),
      rawHeader("d", Buffer.from([3, 9, 9])),
      rawHeader("e", Buffer.from([4, 9, 9, 9, 9])),
      rawHeader("f", Buffer.from([5, ...Buffer.alloc(8)])),
      rawHeader("g", Buffer.from([6, 0, 2, 9, 9])),
      rawHeader("h", Buffer.from([8, ...Buffer.alloc(8)])),
      rawHeader("i", Buffer.from([9, ...Buffer.alloc(16)])),
    ];
    const type = rawHeader(":event-type", Buffer.from([7, 0, 8, ...Buffer.from("metadata")]));
    const { told } = read(message(Buffer.concat([...numbers, type]), Buffer.from('{"usage":{}}')));
    expect(told).toEqual([{ metadata: { usage: {} } }]);
  });

  it.each([
    ["a type that does not exist", Buffer.from([1, 0x61, 77, 1, 2, 3])],
    ["a value past their end", rawHeader(":event-type", Buffer.from([7, 0, 9, ...Buffer.from("metadata")]))],
    ["a name past their end", Buffer.from([200, 0x61])],
  ])("is passed over where its headers have %s, and the next is read", (_name, headers) => {
    const { told } = read(Buffer.concat([message(headers, Buffer.from("{}")), metadata]));
    expect(told).toEqual([{ metadata: { usage: { inputTokens: 3, outputTokens: 4 } } }]);
  });

  it.each([
    ["shorter than itself", [0, 0, 0, 15, 0, 0, 0, 0]],
    ["shorter than its headers", [0, 0, 0, 20, 0, 0, 0, 5]],
  ])("ends the reading where it says to be %s", (_name, prelude) => {
    const broken = Buffer.concat([Buffer.from(prelude), Buffer.alloc(12)]);
    expect(read(Buffer.concat([said("hi"), broken, metadata]))).toEqual({
      told: [],
      counts: { deltaBytes: 2, deltas: 1 },
    });
  });

  it("is passed over where it is over 8 MB, and the next is read", () => {
    const long = awsEvent("metadata", { pad: "x".repeat(9 * 1024 * 1024) });
    const all = Buffer.concat([said("hi"), long, metadata]);
    for (const piece of [65_536, all.length]) {
      const { told, counts } = read(all, piece);
      expect(told).toEqual([{ metadata: { usage: { inputTokens: 3, outputTokens: 4 } } }]);
      expect(counts).toEqual({ deltaBytes: 2, deltas: 1 });
    }
  });

  it("is told as nothing where its payload is no JSON", () => {
    const type = rawHeader(":event-type", Buffer.from([7, 0, 8, ...Buffer.from("metadata")]));
    expect(read(message(type, Buffer.from("{"))).told).toEqual([{ metadata: undefined }]);
  });
});

describe("a response", () => {
  it("is read as a stream of these where it begins with a length", async () => {
    const { provider, operation } = at("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse-stream");
    const path = "/model/m/converse-stream";
    const reader = createReader({ provider, operation, path, status: 200, headers: {} });
    for (const byte of converse) reader.push(Buffer.from([byte]));
    expect(await reader.finish()).toMatchObject({
      streamed: true,
      deltas: 1,
      finishReasons: ["end_turn"],
      portions: [{ usage: { inputTokens: 3, outputTokens: 4 } }],
    });
  });
});
