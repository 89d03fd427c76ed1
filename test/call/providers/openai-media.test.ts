import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call } from "../../../src/call/call.ts";
import { loadPrices, type Prices } from "../../../src/call/price.ts";
import { openai } from "../../../src/call/providers/openai.ts";
import type { Request } from "../../../src/call/read.ts";
import { bill } from "../../../src/response/bill.ts";
import { createReader } from "../../../src/response/reader.ts";
import { aCall, at } from "../builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({});
});

/** A call to OpenAI at this path. */
const asked = (path: string, body: unknown, given: Partial<Request> = {}): Call =>
  aCall(prices, body, { recognised: at("api.openai.com", path), path, ...given });

/** A form as a client sends it; a file is given by its content. */
function form(fields: Readonly<Record<string, string | Buffer>>): Pick<Request, "headers" | "body"> {
  const parts = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([
      Buffer.from(
        `--edge\r\nContent-Disposition: form-data; name="${name}"${typeof value === "string" ? "" : '; filename="a"'}\r\n\r\n`,
      ),
      Buffer.from(value),
      Buffer.from("\r\n"),
    ]),
  );
  return {
    headers: { "content-type": "multipart/form-data; boundary=edge" },
    body: Buffer.concat([...parts, Buffer.from("--edge--\r\n")]),
  };
}

/** What the call costs once this has been answered. */
async function answered(call: Call, answer: string | object, status = 200): Promise<Bill> {
  const reader = createReader({ provider: openai, operation: call.operation, status, path: call.path, headers: {} });
  reader.push(Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)));
  const outcome = status < 400 ? ({ kind: "success", status } as const) : ({ kind: "provider-error", status } as const);
  return bill({ call, reading: await reader.finish(), outcome, prices });
}

const dollars = (usd: number): number => Math.round(usd * 1e9);
const events = (...all: readonly object[]): string => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

describe("pictures", () => {
  it.each([
    ["dall-e-3", {}, 0.04],
    ["dall-e-3", { quality: "hd" }, 0.08],
    ["dall-e-3", { size: "1792x1024" }, 0.08],
    ["dall-e-3", { size: "1024x1792", quality: "hd" }, 0.12],
    ["dall-e-2", { size: "256x256", n: 3 }, 0.048],
    ["dall-e-2", { n: 2 }, 0.04],
  ])("of %s asked for with %o are held and charged by size and quality", async (model, more, usd) => {
    const call = asked("/v1/images/generations", { model, prompt: "a cat", ...more });
    expect([call.spending, call.unpriced, call.cost.total]).toEqual(["metered", false, dollars(usd)]);
    const pictures = Array.from({ length: call.units?.images ?? 0 }, () => ({ url: "https://pictures.example/1" }));
    const paid = await answered(call, { created: 1, data: pictures });
    expect([paid.cost.total, paid.cost.output, paid.source]).toEqual([dollars(usd), dollars(usd), "local"]);
  });

  it("of a size that no list has cost the dearest of their model", () => {
    expect(asked("/v1/images/generations", { model: "dall-e-3", size: "4096x4096" }).cost.total).toBe(dollars(0.12));
  });

  it("that came in smaller number than asked for are charged as they came", async () => {
    const call = asked("/v1/images/generations", { model: "dall-e-2", n: 4 });
    expect((await answered(call, { data: [{ url: "u" }] })).cost.total).toBe(dollars(0.02));
  });

  it("of gpt-image-1 are held by their tokens at the highest quality, and charged by what the answer tells", async () => {
    const call = asked("/v1/images/generations", { model: "gpt-image-1", prompt: "a cat" });
    expect(call.outputTokens).toBe(6_240);
    expect(call.units).toBeUndefined();
    const usage = {
      input_tokens: 50,
      output_tokens: 1_056,
      total_tokens: 1_106,
      input_tokens_details: { text_tokens: 10, image_tokens: 40 },
    };
    const paid = await answered(call, { created: 1, data: [{ b64_json: "AAAA" }], usage });
    // $5 for text, $10 for pictures that are seen, $40 for those that are made, per million.
    expect(paid.cost.total).toBe(10 * 5_000 + 40 * 10_000 + 1_056 * 40_000);
    expect(paid.source).toBe("local");
  });

  it("of gpt-image-1.5 that say nothing of tokens cost what was held, never nothing", async () => {
    const call = asked("/v1/images/generations", { model: "gpt-image-1.5", quality: "low", size: "1024x1024" });
    const paid = await answered(call, { created: 1, data: [{ b64_json: "AAAA" }] });
    expect([paid.source, paid.cost.total]).toEqual(["estimate", call.cost.total]);
    expect(paid.cost.output).toBe(272 * 32_000);
  });

  it("that stream are charged by their last event", async () => {
    const call = asked("/v1/images/generations", { model: "gpt-image-1", stream: true, partial_images: 1 });
    const usage = { input_tokens: 10, output_tokens: 272, input_tokens_details: { text_tokens: 10, image_tokens: 0 } };
    const stream = events(
      { type: "image_generation.partial_image", b64_json: "AAAA" },
      { type: "image_generation.completed", b64_json: "AAAA", usage },
    );
    expect((await answered(call, stream)).cost.total).toBe(10 * 5_000 + 272 * 40_000);
  });

  it("that are edited come in a form, and hold what was handed in too", async () => {
    const call = asked(
      "/v1/images/edits",
      null,
      form({ model: "gpt-image-1", prompt: "a hat", "image[]": Buffer.alloc(9) }),
    );
    expect([call.model, call.unpriced]).toEqual(["gpt-image-1", false]);
    expect(call.cost.input).toBeGreaterThanOrEqual(6_240 * 10_000);
  });

  it("of a model that nobody knows are unpriced and cost the dearest picture", () => {
    const call = asked("/v1/images/generations", { model: "painter-9", prompt: "a cat" });
    expect(call.unpriced).toBe(true);
    expect(call.cost.output).toBe(dollars(0.25));
  });

  it("cost nothing where the provider refuses to make them", async () => {
    const call = asked("/v1/images/generations", { model: "dall-e-3", prompt: "?" });
    expect((await answered(call, { error: { message: "no" } }, 400)).cost.total).toBe(0);
  });
});

describe("speech", () => {
  it.each([
    ["tts-1", 15_000],
    ["tts-1-hd", 30_000],
  ])("of %s is charged by the character, whatever its sound", async (model, nanoEach) => {
    const call = asked("/v1/audio/speech", { model, voice: "alloy", input: "Grüße, Welt" });
    expect(call.cost.total).toBe(11 * nanoEach);
    const paid = await answered(call, "\u0000\u0001 not text at all");
    expect([paid.cost.total, paid.cost.input, paid.usage.units]).toEqual([
      11 * nanoEach,
      11 * nanoEach,
      { characters: 11 },
    ]);
  });

  it("of a model that is billed by tokens is estimated by its length, and charged by its last event", async () => {
    const call = asked("/v1/audio/speech", { model: "gpt-4o-mini-tts", input: "x".repeat(120), stream_format: "sse" });
    expect(call.outputTokens).toBe(210);
    const stream = events(
      { type: "speech.audio.delta", audio: "AAAA" },
      { type: "speech.audio.done", usage: { input_tokens: 30, output_tokens: 100, total_tokens: 130 } },
    );
    expect((await answered(call, stream)).cost.total).toBe(30 * 600 + 100 * 12_000);
  });
});

describe("sound that is cut off", () => {
  const cut = async (operation: "chat" | "speech", call: Call, body: string) => {
    const reader = createReader({ provider: openai, operation, status: 200, path: "", headers: {} });
    reader.push(Buffer.from(body));
    return bill({ call, reading: await reader.finish(), outcome: { kind: "aborted", status: 200 }, prices });
  };

  it("is charged whole where it is speech, since nobody sees how much of it came", async () => {
    const call = asked("/v1/audio/speech", { model: "gpt-4o-mini-tts", input: "x".repeat(3_000) });
    expect((await cut("speech", call, "ID3 not text at all")).cost.total).toBe(call.cost.total);
  });

  it("is charged by its seconds where it is an answer, and not by its letters", async () => {
    const call = asked("/v1/chat/completions", { model: "gpt-audio", stream: true, messages: [] });
    const second = { choices: [{ delta: { audio: { data: "A".repeat(64_000) } } }] };
    const { usage } = await cut("chat", call, events({ id: "c", model: "gpt-audio", choices: [] }, second, second));
    expect(usage.outputTokens).toBe(40);
  });
});

describe("transcription", () => {
  const recording = Buffer.alloc(80_000);

  it("by whisper is held by the bytes of its file and charged by the seconds that the answer tells", async () => {
    const call = asked("/v1/audio/transcriptions", null, form({ file: recording, model: "whisper-1" }));
    expect([call.model, call.units, call.cost.total]).toEqual(["whisper-1", { audioSeconds: 10 }, 10 * 100_000]);
    const paid = await answered(call, { text: "hello", usage: { type: "duration", seconds: 7 } });
    expect([paid.cost.total, paid.cost.input, paid.source]).toEqual([700_000, 700_000, "local"]);
    expect((await answered(call, { text: "hello", duration: "6.2", segments: [] })).cost.total).toBe(700_000);
  });

  it("by whisper that tells no length costs what its bytes say", async () => {
    const call = asked("/v1/audio/translations", null, form({ model: "whisper-1", file: recording }));
    const paid = await answered(call, "1\n00:00:00,000 --> 00:00:04,000\nhello\n");
    expect([paid.cost.total, paid.source]).toEqual([10 * 100_000, "estimate"]);
  });

  it("reads the model from what came of a form that is not read whole, and the rest from its declared length", () => {
    const { headers, body } = form({ model: "whisper-1", file: recording });
    const bodyStart = body?.subarray(0, 250);
    const declared = { ...headers, "content-length": "800000" };
    const call = asked("/v1/audio/transcriptions", null, { headers: declared, body: null, bodyStart });
    expect([call.model, call.units?.audioSeconds]).toEqual(["whisper-1", 100]);
  });

  it("by a model that is billed by tokens is charged by the answer's, sound at the price of sound", async () => {
    const call = asked("/v1/audio/transcriptions", null, form({ model: "gpt-4o-transcribe", file: recording }));
    expect(call.units).toBeUndefined();
    const usage = {
      type: "tokens",
      input_tokens: 14,
      input_token_details: { text_tokens: 4, audio_tokens: 10 },
      output_tokens: 5,
      total_tokens: 19,
    };
    const cost = 4 * 2_500 + 10 * 6_000 + 5 * 10_000;
    expect((await answered(call, { text: "hello", usage })).cost.total).toBe(cost);
    const stream = events({ type: "transcript.text.delta", delta: "hello" }, { type: "transcript.text.done", usage });
    expect((await answered(call, stream)).cost.total).toBe(cost);
  });
});

describe("OpenAI's own tools", () => {
  const usage = { input_tokens: 100, output_tokens: 10, total_tokens: 110 };
  const tokens = 100 * 2_500 + 10 * 10_000;
  const ran = (id: string, container: string) => ({ type: "code_interpreter_call", id, container_id: container });
  const answer = (more: object) => ({ id: "resp_1", model: "gpt-4o", status: "completed", usage, ...more });
  const call = () => asked("/v1/responses", { model: "gpt-4o", input: "hi", max_output_tokens: 16 });

  it("cost a session for each container that code ran in, however often", async () => {
    const paid = await answered(call(), answer({ output: [ran("a", "c1"), ran("b", "c1"), ran("c", "c2")] }));
    expect([paid.cost.tools, paid.cost.total]).toEqual([60_000_000, tokens + 60_000_000]);
  });

  it("hold a session where code may run, and charge none for a container that was opened before", async () => {
    const tool = (container: unknown) => ({ type: "code_interpreter", container });
    const body = { model: "gpt-4o", input: "hi" };
    expect(asked("/v1/responses", { ...body, tools: [tool({ type: "auto" })] }).cost.tools).toBe(30_000_000);
    expect(asked("/v1/responses", { ...body, tools: [tool("cntr_1")] }).cost.tools).toBe(0);
    const paid = await answered(call(), answer({ tools: [tool("cntr_1")], output: [ran("a", "cntr_1")] }));
    expect(paid.cost.total).toBe(tokens);
  });

  it.each([
    [{ name: "c" }, 0.03],
    [{ name: "c", memory_limit: "4g" }, 0.12],
    [{ name: "c", memory_limit: "64g" }, 1.92],
  ])("charge a container that is opened by itself: %o", async (body, usd) => {
    const opened = asked("/v1/containers", body);
    expect([opened.unpriced, opened.cost.total]).toEqual([false, dollars(usd)]);
    const paid = await answered(opened, { id: "cntr_1", object: "container", name: "c" });
    expect([paid.cost.total, paid.cost.tools]).toEqual([dollars(usd), dollars(usd)]);
  });

  it("charge a container by its size, and a shell's like that of code", async () => {
    const run = async (tool: object, item: object) => {
      const body = { model: "gpt-4o", input: "how many?", tools: [tool] };
      const held = asked("/v1/responses", body);
      const paid = await answered(held, answer({ tools: [tool], output: [{ id: "1", status: "completed", ...item }] }));
      return [held.cost.tools, paid.cost.tools];
    };
    const code = { type: "code_interpreter_call", container_id: "cntr_1" };
    const auto = (size: object) => ({ type: "code_interpreter", container: { type: "auto", ...size } });
    expect(await run(auto({}), code)).toEqual([30_000_000, 30_000_000]);
    expect(await run(auto({ memory_limit: "64g" }), code)).toEqual([1_920_000_000, 1_920_000_000]);
    const shell = (environment: object) => ({ type: "shell", environment });
    const ran = { type: "shell_call", environment: { type: "container_reference", container_id: "cntr_1" } };
    expect(await run(shell({ type: "container_auto", memory_limit: "4g" }), ran)).toEqual([120_000_000, 120_000_000]);
    expect(await run(shell({ type: "container_reference", container_id: "cntr_1" }), ran)).toEqual([0, 0]);
    expect(await run(shell({ type: "local" }), { type: "shell_call", environment: { type: "local" } })).toEqual([0, 0]);
  });

  it("charge pictures made within an answer at the picture model's price, beside the answer", async () => {
    const drawn = { type: "image_generation_call", id: "ig_1", status: "completed", size: "1024x1024", quality: "low" };
    const tools = [{ type: "image_generation", model: "gpt-image-1-mini" }];
    const byGuess = await answered(call(), answer({ tools, output: [drawn] }));
    expect(byGuess.cost.total).toBe(tokens + 272 * 8_000);
    const image_gen = {
      input_tokens: 10,
      output_tokens: 300,
      input_tokens_details: { image_tokens: 0, text_tokens: 10 },
    };
    const told = await answered(call(), answer({ tools, output: [drawn], tool_usage: { image_gen } }));
    expect(told.cost.total).toBe(tokens + 10 * 2_000 + 300 * 8_000);
  });

  describe("that draw are charged the picture", () => {
    const item = { type: "image_generation_call", id: "ig_1", status: "completed", size: "1024x1024", quality: "low" };
    const body = { model: "gpt-4o", input: "a cat", max_output_tokens: 16, tools: [{ type: "image_generation" }] };
    const picture = 272 * 40_000;

    it("where the stream breaks off behind it", async () => {
      const held = asked("/v1/responses", { ...body, stream: true });
      const reader = createReader({ provider: openai, operation: "responses", status: 200, path: "", headers: {} });
      reader.push(Buffer.from(events({ type: "response.created", response: { id: "r", model: "gpt-4o" } })));
      reader.push(Buffer.from(events({ type: "response.output_item.done", item: { ...item, result: "iVBO" } })));
      const reading = await reader.finish();
      const paid = bill({ call: held, reading, outcome: { kind: "aborted", status: 200 }, prices });
      expect([paid.source, paid.cost.output]).toEqual(["estimate", picture]);
    });

    it("where it makes the answer too long to parse", async () => {
      const image_gen = { input_tokens: 10, output_tokens: 272, output_tokens_details: { image_tokens: 272 } };
      const whole = answer({ output: [{ ...item, result: "A".repeat(9 * 1024 * 1024) }], tool_usage: { image_gen } });
      const { usage: last, ...before } = whole as Record<string, unknown>;
      const paid = await answered(asked("/v1/responses", body), { ...before, usage: last });
      expect([paid.source, paid.usage.outputTokens]).toEqual(["local", 10 + 272]);
    });
  });

  it("hold one picture where one may be made, at the picture model's price (litellm PR #40002)", () => {
    const body = { model: "gpt-4o", input: "a cat", max_output_tokens: 16 };
    const drawn = (tool: object) =>
      asked("/v1/responses", { ...body, tools: [{ type: "image_generation", ...tool }] }).cost.output - 16 * 10_000;
    expect(drawn({})).toBe(6_240 * 40_000);
    expect(drawn({ model: "gpt-image-1-mini", quality: "low", size: "1024x1024" })).toBe(272 * 8_000);
  });

  it("charge what a computer-use model read and wrote, like any other's", async () => {
    const used = asked("/v1/responses", { model: "computer-use-preview", input: "click" });
    expect(used.unpriced).toBe(false);
    const paid = await answered(used, { ...answer({}), model: "computer-use-preview-2025-03-11" });
    expect(paid.cost.total).toBe(100 * 3_000 + 10 * 12_000);
  });
});

describe("what costs nothing or cannot be counted", () => {
  it("is told apart", () => {
    expect(asked("/v1/moderations", { model: "omni-moderation-latest", input: "x" }).spending).toBe("free");
    const tuning = asked("/v1/fine_tuning/jobs", { model: "gpt-4.1-mini", training_file: "file-1" });
    expect([tuning.spending, tuning.model]).toEqual(["unmetered", "gpt-4.1-mini"]);
  });
});
