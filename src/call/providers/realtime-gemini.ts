/**
 * Gemini Live (ai.google.dev/api/live), the same on Vertex: the client's `setup` names the model, and each turn of the server
 * brings one `usageMetadata`, which counts that turn alone with all of the conversation as its prompt.
 */
import type { Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import { usage } from "../usage.ts";
import { json, mentions, type SessionReader, type Used } from "./realtime-reader.ts";

/** Fields that say something of use; a message without them brings sound or text. */
const TELLING = ['"usageMetadata"', '"turnComplete"', '"toolCall"', '"setup"', '"interrupted"'];

/** 25 tokens for a second of sound (ai.google.dev/gemini-api/docs/live): of PCM16 at 24 kHz, 1,920 bytes. */
const BYTES_PER_AUDIO_TOKEN = 1_920;

/** A reader for one session of this dialect. */
export function geminiSession(): SessionReader {
  let model: string | null = null;
  let turns = 0;
  /** What came of the turn under way. */
  let audioBytes = 0;
  let textBytes = 0;
  /** The turn's usage: the last one told, since each is a running total. */
  let pending: Usage | null = null;
  /** A turn has ended, and its usage has yet to come in a message of its own. */
  let awaited = false;

  const turnEnds = (reason: string): readonly Used[] => {
    awaited = pending === null && audioBytes + textBytes > 0;
    if (pending === null) return [];
    turns += 1;
    const used: Used = {
      id: `turn ${turns}`,
      kind: "response",
      model: null,
      usage: pending,
      finishReason: reason,
      failed: false,
    };
    pending = null;
    audioBytes = 0;
    textBytes = 0;
    return [used];
  };

  return {
    wants: (from) => from === "server" || model === null,
    take(from, bytes) {
      if (!mentions(bytes, TELLING)) {
        if (from === "client") return [];
        if (bytes.includes('"inlineData"')) audioBytes += (bytes.length * 3) / 4;
        else if (bytes.includes('"text"')) textBytes += bytes.length;
        return [];
      }
      const message = fields(json(bytes));
      if (message === null) return [];
      if (from === "client") {
        model = named(fields(message.setup)) ?? model;
        return [];
      }
      const content = fields(message.serverContent);
      const told = fields(message.usageMetadata);
      const used = told === null ? null : usageOf(told);
      if (content !== null && fields(content.modelTurn) !== null) audioBytes += (bytes.length * 3) / 4;
      if (used !== null) pending = used;
      if (content?.turnComplete === true) return turnEnds("STOP");
      if (content?.interrupted === true) return turnEnds("INTERRUPTED");
      // The turn rests until the client has run the tool, and its next part is counted anew.
      if (fields(message.toolCall) !== null) return turnEnds("TOOL_CALL");
      return used !== null && awaited ? turnEnds("STOP") : [];
    },
    model: () => model,
    id: () => null,
    unfinished() {
      if (audioBytes === 0 && textBytes === 0 && pending === null) return [];
      const outputAudioTokens = pending?.outputAudioTokens ?? Math.ceil(audioBytes / BYTES_PER_AUDIO_TOKEN);
      const outputTokens = pending?.outputTokens ?? Math.ceil(textBytes / 3) + outputAudioTokens;
      return [{ id: `turn ${turns + 1}`, outputTokens, outputAudioTokens }];
    },
    lastWords: () => null,
  };
}

/** `models/gemini-...`, or on Vertex the whole resource; the name is its last part. */
function named(setup: Fields | null): string | null {
  const model = text(setup?.model);
  return model === null ? null : model.slice(model.lastIndexOf("/") + 1) || null;
}

function usageOf(told: Fields): Usage | null {
  const thoughts = count(told.thoughtsTokenCount);
  const prompt = list(told.promptTokensDetails);
  const cache = list(told.cacheTokensDetails);
  const response = list(told.responseTokensDetails);
  const all = usage({
    inputTokens: count(told.promptTokenCount) + count(told.toolUsePromptTokenCount),
    outputTokens: count(told.responseTokenCount) + thoughts,
    cacheReadTokens: count(told.cachedContentTokenCount),
    reasoningTokens: thoughts,
    inputAudioTokens: of(prompt, "AUDIO"),
    inputImageTokens: of(prompt, "IMAGE"),
    inputVideoTokens: of(prompt, "VIDEO"),
    outputAudioTokens: of(response, "AUDIO"),
    cacheReadAudioTokens: of(cache, "AUDIO"),
    cacheReadImageTokens: of(cache, "IMAGE"),
  });
  return all.inputTokens + all.outputTokens === 0 ? null : all;
}

function of(details: readonly unknown[], modality: string): number {
  let tokens = 0;
  for (const one of details) if (fields(one)?.modality === modality) tokens += count(fields(one)?.tokenCount);
  return tokens;
}
