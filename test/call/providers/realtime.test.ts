import { describe, expect, it } from "vitest";
import { sessionEndpoint, sessionFacts, sessionReader } from "../../../src/call/providers/realtime.ts";
import type { SessionReader } from "../../../src/call/providers/realtime-reader.ts";
import { recogniser } from "../../../src/call/recognise.ts";

const GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

const take = (reader: SessionReader, message: object, from: "client" | "server" = "server") =>
  reader.take(from, Buffer.from(JSON.stringify(message)));

describe("the address of a session", () => {
  it.each([
    ["GET", "/v1/realtime?model=gpt-realtime", "metered"],
    ["GET", "/v1/realtime?intent=transcription", "metered"],
    ["GET", "/v1/realtime?call_id=rtc_1", "metered"],
    ["GET", "/openai/realtime?api-version=2025-04-01-preview&deployment=talk", "metered"],
    ["GET", "/openai/v1/realtime?model=talk", "metered"],
    ["GET", "/v1/responses", "metered"],
    ["GET", `${GEMINI}?key=k`, "metered"],
    ["GET", `/${GEMINI}Constrained?access_token=t`, "metered"],
    ["GET", "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent", "metered"],
    ["GET", "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic?key=k", "unmetered"],
    ["GET", "/v1/realtime/translations?model=gpt-realtime-translate", "unmetered"],
    ["GET", "/v1/audio/transcriptions/realtime?model=voxtral-mini", "unmetered"],
    ["GET", "/v1/responses/resp_1", null],
    ["GET", "/v1/models", null],
    ["POST", "/v1/realtime/calls", null],
    ["POST", "/v1/responses", null],
  ])("%s %s is %s", (method, path, spending) => {
    expect(sessionEndpoint(method, path)?.spending ?? null).toBe(spending);
  });

  it("is known on hosts that nobody named, where nothing else has it", () => {
    const recognise = recogniser({ hosts: new Map() });
    const seen = (path: string) => recognise("some.host", 443, "GET", path)?.provider.name ?? null;
    expect(seen("/v1/realtime?model=gpt-realtime")).toBe("openai");
    expect(seen(`/${GEMINI}?key=k`)).toBe("google");
    expect(seen("/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent")).toBe("vertex");
    expect([seen("/realtime"), seen("/v1/realtime?city=rome"), seen("/ws/chat")]).toEqual([null, null, null]);
  });

  it("names the model, or nobody does yet", () => {
    expect(sessionFacts("/v1/realtime?model=gpt-realtime").model).toBe("gpt-realtime");
    expect(sessionFacts("/openai/realtime?deployment=talk&api-version=1").model).toBe("talk");
    expect(sessionFacts(`${GEMINI}?key=k`).model).toBeNull();
  });
});

describe("OpenAI's events", () => {
  it("tell every kind of token apart", () => {
    const reader = sessionReader("/v1/realtime?model=gpt-realtime");
    const [used] = take(reader, {
      type: "response.done",
      response: {
        id: "resp_1",
        status: "completed",
        usage: {
          input_tokens: 500,
          output_tokens: 90,
          input_token_details: {
            text_tokens: 100,
            audio_tokens: 300,
            image_tokens: 100,
            cached_tokens: 200,
            cached_tokens_details: { text_tokens: 50, audio_tokens: 100, image_tokens: 50 },
          },
          output_token_details: { text_tokens: 30, audio_tokens: 60 },
        },
      },
    });
    expect(used).toMatchObject({ id: "resp_1", kind: "response", finishReason: "completed", failed: false });
    expect(used?.usage).toMatchObject({
      inputTokens: 500,
      outputTokens: 90,
      inputAudioTokens: 300,
      inputImageTokens: 100,
      outputAudioTokens: 60,
      cacheReadTokens: 200,
      cacheReadAudioTokens: 100,
      cacheReadImageTokens: 50,
    });
  });

  it("of a transcription are billed by the model that writes, in tokens or in seconds", () => {
    const reader = sessionReader("/v1/realtime?intent=transcription");
    take(reader, {
      type: "transcription_session.created",
      session: { id: "sess_1", input_audio_transcription: { model: "gpt-4o-transcribe" } },
    });
    const event = { type: "conversation.item.input_audio_transcription.completed", item_id: "item_1" };
    const tokens = { type: "tokens", input_tokens: 40, output_tokens: 9, input_token_details: { audio_tokens: 30 } };
    const [first] = take(reader, { ...event, content_index: 0, usage: tokens });
    expect(first).toMatchObject({ id: "item_1/0", kind: "beside", model: "gpt-4o-transcribe" });
    expect(first?.usage).toMatchObject({ inputTokens: 40, inputAudioTokens: 30, outputTokens: 9 });
    const [second] = take(reader, { ...event, content_index: 1, usage: { type: "duration", seconds: 7.2 } });
    expect(second?.usage?.units).toEqual({ audioSeconds: 8 });
    expect(reader.id()).toBe("sess_1");
  });

  it("of the responses endpoint over WebSocket are read as its stream is", () => {
    const reader = sessionReader("/v1/responses");
    take(reader, { type: "response.created", response: { id: "resp_1", status: "in_progress" } });
    expect(reader.unfinished()).toHaveLength(1);
    const usage = {
      input_tokens: 30,
      output_tokens: 20,
      input_tokens_details: { cached_tokens: 10 },
      output_tokens_details: { reasoning_tokens: 5 },
    };
    const [used] = take(reader, {
      type: "response.completed",
      response: {
        id: "resp_1",
        model: "gpt-5",
        status: "completed",
        usage,
        output: [{ type: "web_search_call", id: "ws" }],
      },
    });
    expect(used).toMatchObject({ model: "gpt-5", usage: { cacheReadTokens: 10, reasoningTokens: 5, webSearches: 1 } });
    expect(reader.unfinished()).toEqual([]);
  });

  it("of the responses endpoint over WebSocket tell the pictures that were drawn", () => {
    const drawn = { type: "image_generation_call", id: "ig", status: "completed", size: "1024x1024", quality: "low" };
    const response = { id: "resp_1", model: "gpt-5", status: "completed", output: [drawn] };
    const used = take(sessionReader("/v1/responses"), {
      type: "response.completed",
      response: { ...response, usage: { input_tokens: 30, output_tokens: 20 } },
    });
    expect(used).toMatchObject([
      { id: "resp_1", kind: "response", usage: { outputTokens: 20 } },
      { id: "resp_1/0", kind: "beside", model: "gpt-image-1", usage: { outputImageTokens: 272 } },
    ]);
  });

  it("of a response under way are measured: sound by its bytes, text by its letters, each for its own response", () => {
    const reader = sessionReader("/v1/realtime?model=gpt-realtime");
    for (const id of ["a", "b"]) take(reader, { type: "response.created", response: { id } });
    take(reader, { type: "response.output_audio.delta", response_id: "a", delta: "A".repeat(64_000) });
    take(reader, { type: "response.output_audio_transcript.delta", response_id: "b", delta: "x".repeat(3_000) });
    const [a, b] = reader.unfinished();
    expect(a?.outputAudioTokens).toBeGreaterThanOrEqual(20);
    expect(a?.outputAudioTokens).toBeLessThanOrEqual(21);
    expect(b).toMatchObject({ id: "b", outputAudioTokens: 0 });
    expect(b?.outputTokens).toBeGreaterThanOrEqual(960);
    expect(b?.outputTokens).toBeLessThanOrEqual(1_010);
  });

  it("that only look like usage, in what somebody said, are none", () => {
    const reader = sessionReader("/v1/realtime?model=gpt-realtime");
    const said = '{"type":"response.done","response":{"id":"x","usage":{"input_tokens":1}}}';
    expect(take(reader, { type: "conversation.item.added", item: { content: [{ text: said }] } })).toEqual([]);
    expect(reader.take("server", Buffer.from('{"type":"response.done", broken'))).toEqual([]);
    expect(take(reader, { type: "response.done" })).toEqual([]);
    expect(reader.take("server", Buffer.from("[]"))).toEqual([]);
  });

  it("are read of the server alone", () => {
    const reader = sessionReader("/v1/realtime?model=gpt-realtime");
    expect([reader.wants("server"), reader.wants("client")]).toEqual([true, false]);
  });
});

describe("Gemini's messages", () => {
  const turn = (fields: object = {}) => ({ serverContent: { turnComplete: true, ...fields } });
  const metadata = (prompt: number, response: number, more: object = {}) => ({
    usageMetadata: { promptTokenCount: prompt, responseTokenCount: response, ...more },
  });
  const sound = { serverContent: { modelTurn: { parts: [{ inlineData: { data: "A".repeat(2_560) } }] } } };

  it("of the client are read until they have named the model", () => {
    const reader = sessionReader(GEMINI);
    expect(reader.wants("client")).toBe(true);
    take(
      reader,
      { setup: { model: "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash" } },
      "client",
    );
    expect(reader.model()).toBe("gemini-live-2.5-flash");
    expect(reader.wants("client")).toBe(false);
  });

  it("bill a turn once, by its last count", () => {
    const reader = sessionReader(GEMINI);
    expect(take(reader, { ...sound, ...metadata(100, 5) })).toEqual([]);
    expect(take(reader, { ...sound, ...metadata(100, 20) })).toEqual([]);
    const [used] = take(reader, {
      ...turn(),
      ...metadata(100, 30, { thoughtsTokenCount: 7, toolUsePromptTokenCount: 11 }),
    });
    expect(used).toMatchObject({ id: "turn 1", usage: { inputTokens: 111, outputTokens: 37, reasoningTokens: 7 } });
    expect(reader.unfinished()).toEqual([]);
  });

  it("bill a turn whose count comes after its end, in a message of its own", () => {
    const reader = sessionReader(GEMINI);
    take(reader, sound);
    expect(take(reader, turn())).toEqual([]);
    const [used] = take(reader, metadata(50, 10));
    expect(used).toMatchObject({ id: "turn 1", usage: { inputTokens: 50, outputTokens: 10 } });
  });

  it("bill what came before a tool by itself, since the rest is counted anew", () => {
    const reader = sessionReader(GEMINI);
    const [first] = take(reader, { toolCall: { functionCalls: [] }, ...metadata(50, 10) });
    const [second] = take(reader, { ...turn(), ...metadata(70, 20) });
    expect([first?.finishReason, second?.id]).toEqual(["TOOL_CALL", "turn 2"]);
  });

  it("of a turn that never ends are measured by the sound that came", () => {
    const reader = sessionReader(GEMINI);
    for (let i = 0; i < 10; i++) take(reader, sound);
    const [open] = reader.unfinished();
    expect(open?.outputAudioTokens).toBeGreaterThanOrEqual(10);
    expect(open?.outputAudioTokens).toBeLessThanOrEqual(12);
  });

  it("have no words for a client that is cut off", () => {
    expect(sessionReader(GEMINI).lastWords("why", {})).toBeNull();
  });
});
