/**
 * OpenAI's realtime events (platform.openai.com/docs/api-reference/realtime-server-events), which Azure and others speak too,
 * and those of its responses endpoint over WebSocket.
 */
import type { Usage } from "../call.ts";
import { count, type Fields, fields, text } from "../json.ts";
import type { Portion } from "../provider.ts";
import { usage } from "../usage.ts";
import { openaiUsageReader } from "./openai-usage.ts";
import { json, mentions, type SessionReader, type Unfinished, type Used } from "./realtime-reader.ts";

/** Events that say what a session is, or what was used in it. */
const TELLING = [
  '"session.created"',
  '"session.updated"',
  '"transcription_session.created"',
  '"transcription_session.updated"',
  '"response.created"',
  '"response.done"',
  '"response.completed"',
  '"response.incomplete"',
  '"response.failed"',
  '"conversation.item.input_audio_transcription.completed"',
];

/** An output token of sound is 50 ms (developers.openai.com/api/docs/guides/realtime-costs): of PCM16 at 24 kHz, 2,400 bytes. */
const BYTES_PER_AUDIO_TOKEN = 2_400;

/** An event is about this much longer than the text or sound that it brings. */
const ENVELOPE = 180;

/** A client may let many responses run side by side; more than this have surely been forgotten by the provider. */
const MOST_OPEN = 64;

interface Open {
  textBytes: number;
  audioBytes: number;
}

/** A reader for one session of this dialect. */
export function openaiSession(asked: string | null): SessionReader {
  let model = asked;
  let id: string | null = null;
  let transcriber: string | null = null;
  const open = new Map<string, Open>();

  const learn = (session: Fields): void => {
    id = text(session.id) ?? id;
    model = text(session.model) ?? model;
    const input = fields(fields(session.audio)?.input);
    const transcription = fields(input?.transcription) ?? fields(session.input_audio_transcription);
    transcriber = text(transcription?.model) ?? transcriber;
    // A session that only writes down has no other model.
    if (text(session.model) === null && asked === null && text(session.type) === "transcription") model = transcriber;
  };

  const begin = (response: Fields): void => {
    const name = text(response.id);
    // Over WebSocket the responses endpoint is told its model with each request.
    model = text(response.model) ?? model;
    if (name !== null && open.size < MOST_OPEN) open.set(name, { textBytes: 0, audioBytes: 0 });
  };

  const finish = (event: Fields, response: Fields): readonly Used[] => {
    const name = text(response.id) ?? text(event.event_id);
    if (name === null) return [];
    open.delete(name);
    const told = fields(response.usage);
    const status = text(response.status) ?? "completed";
    const ended = { finishReason: status, failed: status === "failed" };
    const [own, ...drawn] = told === null ? [] : usagesOf(event, told);
    return [
      { id: name, kind: "response", model: text(response.model), usage: own?.usage ?? null, ...ended },
      ...drawn.map(
        ({ model: draws, usage: used }, index): Used => ({
          id: `${name}/${index}`,
          kind: "beside",
          model: draws,
          usage: used,
          ...ended,
        }),
      ),
    ];
  };

  const transcribed = (event: Fields): readonly Used[] => {
    const item = text(event.item_id);
    if (item === null) return [];
    const told = fields(event.usage);
    return [
      {
        id: `${item}/${count(event.content_index)}`,
        kind: "beside",
        model: transcriber,
        usage: told === null ? null : transcriptionUsage(told),
        finishReason: "completed",
        failed: false,
      },
    ];
  };

  return {
    // Whatever the client sets, the server repeats in `session.updated`.
    wants: (from) => from === "server",
    take(_from, bytes) {
      if (!mentions(bytes, TELLING)) {
        countDelta(bytes, open);
        return [];
      }
      const event = fields(json(bytes));
      const response = fields(event?.response) ?? {};
      switch (event?.type) {
        case "session.created":
        case "session.updated":
        case "transcription_session.created":
        case "transcription_session.updated":
          learn(fields(event.session) ?? {});
          return [];
        case "response.created":
          begin(response);
          return [];
        case "response.done":
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
          return finish(event, response);
        case "conversation.item.input_audio_transcription.completed":
          return transcribed(event);
        default:
          return [];
      }
    },
    model: () => model,
    id: () => id,
    unfinished: () =>
      [...open].map(([name, { textBytes, audioBytes }]): Unfinished => {
        const outputAudioTokens = Math.ceil(audioBytes / BYTES_PER_AUDIO_TOKEN);
        return { id: name, outputTokens: Math.ceil(textBytes / 3) + outputAudioTokens, outputAudioTokens };
      }),
    lastWords: (message, detail) =>
      JSON.stringify({
        type: "error",
        event_id: "event_budget_guard",
        error: {
          type: "budget_exceeded",
          code: "budget_exceeded",
          message,
          param: null,
          event_id: null,
          budget_guard: detail,
        },
      }),
  };
}

/** Adds up what a response in the making has brought; sound is measured and not read. */
function countDelta(bytes: Buffer, open: Map<string, Open>): void {
  const start = bytes.toString("latin1", 0, 400);
  if (!start.includes('delta"')) return;
  const named = /"response_id"\s*:\s*"([^"]+)"/.exec(start)?.[1];
  const one = (named === undefined ? undefined : open.get(named)) ?? [...open.values()].at(-1);
  if (one === undefined) return;
  const length = Math.max(1, bytes.length - ENVELOPE);
  if (start.includes('audio.delta"')) one.audioBytes += (length * 3) / 4;
  else one.textBytes += length;
}

/** The usage of the response, and of the pictures that were drawn for it. */
function usagesOf(event: Fields, told: Fields): readonly Portion[] {
  if (event.type === "response.done") {
    const used = usageOf(told);
    return used === null ? [] : [{ model: null, usage: used }];
  }
  const reader = openaiUsageReader("responses");
  reader.take(event);
  return reader.facts().portions;
}

function usageOf(told: Fields): Usage | null {
  const input = fields(told.input_token_details);
  const output = fields(told.output_token_details);
  const cached = fields(input?.cached_tokens_details);
  const all = usage({
    inputTokens: count(told.input_tokens),
    outputTokens: count(told.output_tokens),
    cacheReadTokens: count(input?.cached_tokens),
    reasoningTokens: count(output?.reasoning_tokens),
    inputAudioTokens: count(input?.audio_tokens),
    inputImageTokens: count(input?.image_tokens),
    outputAudioTokens: count(output?.audio_tokens),
    cacheReadAudioTokens: count(cached?.audio_tokens),
    cacheReadImageTokens: count(cached?.image_tokens),
  });
  return all.inputTokens + all.outputTokens === 0 ? null : all;
}

function transcriptionUsage(told: Fields): Usage | null {
  const seconds = count(told.seconds);
  if (told.type === "duration") return seconds === 0 ? null : usage({ units: { audioSeconds: seconds } });
  const all = usage({
    inputTokens: count(told.input_tokens),
    outputTokens: count(told.output_tokens),
    inputAudioTokens: count(fields(told.input_token_details)?.audio_tokens),
  });
  return all.inputTokens + all.outputTokens === 0 ? null : all;
}
