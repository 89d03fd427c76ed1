import { describe, expect, it } from "vitest";
import { deltaBytes } from "../../src/response/deltas.ts";
import { type EventCounts, eventReader } from "../../src/response/sse.ts";

/** Reads a stream in pieces; returns the parsed events that were told, and the counts. */
function read(stream: string | Buffer, piece = 1_000_000): { told: unknown[]; counts: EventCounts } {
  const told: unknown[] = [];
  const facts = () => {
    throw new Error("not asked for");
  };
  const reader = eventReader({ take: (json) => told.push(json), facts }, ['"delta"']);
  const bytes = Buffer.from(stream);
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
  return { told, counts: reader.finish() };
}

const start = { id: "1", model: "gpt-4o", choices: [{ delta: { role: "assistant", content: "" } }] };
const said = { id: "1", choices: [{ delta: { content: "Grüße, 猫 😀" }, finish_reason: null }], usage: null };
const stop = { id: "1", choices: [{ delta: {}, finish_reason: "stop" }], usage: null };
const counted = { id: "1", choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } };
const events = [start, said, stop, counted];
const stream = `: hello\n\n${events.map((e) => `event: x\ndata: ${JSON.stringify(e)}\n\n`).join("")}data: [DONE]\n\n`;
const TEXT = Buffer.byteLength("Grüße, 猫 😀");

describe("a stream of events", () => {
  it("tells the first event and those with news, and no others", () => {
    expect(read(stream).told).toEqual([start, stop, counted]);
  });

  it("reads the same however it is split", () => {
    for (const piece of [1, 2, 3, 5, 7, 11, 64, 4096]) expect(read(stream, piece)).toEqual(read(stream));
  });

  it.each([
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("reads the same with %s", (_name, end) => {
    for (const piece of [1, 3, 4096]) expect(read(stream.replaceAll("\n", end), piece)).toEqual(read(stream));
  });

  it("joins data of several lines", () => {
    const lines = 'data: {"id":"1",\ndata:"usage":\ndata: {"prompt_tokens":1}}\n\n';
    for (const end of ["\n", "\r\n", "\r"]) {
      for (const piece of [1, 2, 4096]) {
        expect(read(lines.replaceAll("\n", end), piece).told).toEqual([{ id: "1", usage: { prompt_tokens: 1 } }]);
      }
    }
  });

  it("takes the last event where the blank line after it is missing", () => {
    expect(read(stream.slice(0, stream.indexOf("data: [DONE]") - 2)).told).toEqual([start, stop, counted]);
  });

  it("is not misled by usage that the text speaks of", () => {
    const quoted = { choices: [{ delta: { content: '"usage": {"prompt_tokens": 9}, "finish_reason": "stop"' } }] };
    expect(read(`data: ${JSON.stringify(start)}\n\ndata: ${JSON.stringify(quoted)}\n\n`).told).toEqual([start]);
  });

  it("allows spaces in its JSON", () => {
    const spaced = `data: {"id": "1"}\n\ndata: {"usage" : { "prompt_tokens": 1 } }\n\n`;
    expect(read(spaced).told).toEqual([{ id: "1" }, { usage: { prompt_tokens: 1 } }]);
  });

  it("counts the text that streamed and the events that brought some", () => {
    expect(read(stream).counts).toEqual({ deltaBytes: TEXT, deltas: 1 });
  });

  it("survives what is no JSON", () => {
    expect(read("data: {\n\ndata: nonsense\n\ngarbage\n\n").counts).toEqual({ deltaBytes: 0, deltas: 0 });
  });

  it("stays quick when one event of megabytes comes in small chunks", () => {
    const long = `data: {"usage":{"prompt_tokens":1},"x":"${"y".repeat(4_000_000)}"}\n\n`;
    const began = performance.now();
    expect(read(long, 4096).told).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

describe("the text of a delta", () => {
  const bytes = (event: unknown): number => deltaBytes(JSON.stringify(event), '"delta"');

  it.each([
    ["a chat answer", { choices: [{ delta: { role: "assistant", content: "12345" } }] }, 5],
    ["several answers", { choices: [{ delta: { content: "123" } }, { delta: { content: "45" } }] }, 5],
    ["reasoning", { choices: [{ delta: { reasoning_content: "12345" } }] }, 5],
    [
      "a tool call",
      {
        choices: [
          {
            delta: {
              tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "ab", arguments: "123" } }],
            },
          },
        ],
      },
      5,
    ],
    ["a response", { type: "response.output_text.delta", item_id: "msg_1", delta: "12345" }, 5],
    ["a message", { type: "content_block_delta", delta: { type: "text_delta", text: "12345" } }, 5],
    ["a message's thinking", { delta: { type: "thinking_delta", thinking: "12345" } }, 5],
    ["a message's tool input", { delta: { type: "input_json_delta", partial_json: '{"a' } }, 4],
    ["a signature", { delta: { type: "signature_delta", signature: "abcdef" } }, 0],
    ["an end", { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null } }, 0],
    ["a finished text", { type: "response.output_text.done", text: "12345" }, 0],
    ["text that speaks of deltas", { type: "x", delta: '"delta": "123"' }, 18],
  ])("is counted for %s", (_name, event, expected) => {
    expect(bytes(event)).toBe(expected);
  });

  it("ends with the event where that was cut", () => {
    expect(deltaBytes('{"delta":{"content":"abc', '"delta"')).toBe(3);
    expect(deltaBytes('{"delta":', '"delta"')).toBe(0);
    expect(deltaBytes('{"delta"', '"delta"')).toBe(0);
  });
});
