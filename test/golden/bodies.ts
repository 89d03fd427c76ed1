/**
 * The recorded bodies as whole exchanges: each package's files are answers to a request that names no more than a model.
 * @module
 */
import { bodies, type RecordedBody } from "./golden.ts";
import type { Item } from "./replaying.ts";

/** What a file answers. */
interface Asked {
  readonly provider: string;
  readonly url: string;
  readonly model: string;
}

const asked = (provider: string, url: string, model: string): Asked => ({ provider, url, model });

/** The address that a package's file answers; null for frames of live sessions, which are no answers to requests. */
const ADDRESSES: Readonly<Record<string, (file: string) => Asked | null>> = {
  alibaba: () =>
    asked("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions", "qwen3-max"),
  "amazon-bedrock": (file) =>
    file.startsWith("reranking")
      ? asked("bedrock", "https://bedrock-agent-runtime.us-east-1.amazonaws.com/rerank", "cohere.rerank-v3-5:0")
      : asked(
          "bedrock",
          `https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse${file.endsWith(".txt") ? "-stream" : ""}`,
          "",
        ),
  anthropic: (file) =>
    asked(
      "anthropic",
      `https://api.anthropic.com/v1/${file.startsWith("skills") ? "skills" : "messages"}`,
      "claude-sonnet-5",
    ),
  azure: (file) =>
    asked(
      "azure",
      `https://res.openai.azure.com/openai/${/deepseek/.test(file) ? "deployments/ds/chat/completions?api-version=1" : "v1/responses"}`,
      "gpt-5.1",
    ),
  cohere: (file) =>
    asked(
      "cohere",
      `https://api.cohere.com/v2/${file.startsWith("reranking") ? "rerank" : "chat"}`,
      file.startsWith("reranking") ? "rerank-v3.5" : "command-r7b-12-2024",
    ),
  deepseek: () => asked("deepseek", "https://api.deepseek.com/chat/completions", "deepseek-reasoner"),
  google: (file) =>
    file.startsWith("speech")
      ? null
      : asked(
          "google",
          `https://generativelanguage.googleapis.com/v1beta/${file.startsWith("interactions") ? "interactions" : `models/gemini-2.5-flash:${file.endsWith(".txt") ? "streamGenerateContent?alt=sse" : "generateContent"}`}`,
          "gemini-2.5-flash",
        ),
  groq: (file) =>
    asked(
      "groq",
      `https://api.groq.com/openai/v1/${/transcription/.test(file) ? "audio/transcriptions" : "chat/completions"}`,
      /transcription/.test(file) ? "whisper-large-v3" : "llama-3.3-70b-versatile",
    ),
  mistral: () => asked("mistral", "https://api.mistral.ai/v1/chat/completions", "mistral-small-latest"),
  moonshotai: () => asked("moonshot", "https://api.moonshot.ai/v1/chat/completions", "kimi-k2.6"),
  "open-responses": (file) =>
    /lmstudio/.test(file)
      ? asked("local", "http://localhost:1234/v1/responses", "mistralai/ministral-3-14b-reasoning")
      : asked("openai", "https://api.openai.com/v1/responses", "gpt-4.1-nano"),
  openai: (file) =>
    file.startsWith("speech")
      ? null
      : asked(
          "openai",
          `https://api.openai.com/v1/${file.startsWith("responses_") ? "responses" : file.startsWith("image_") ? "images/generations" : "chat/completions"}`,
          file.startsWith("image_") ? "gpt-image-1" : "gpt-4o",
        ),
  "openai-compatible": () => asked("xai", "https://api.x.ai/v1/chat/completions", "grok-3-mini"),
  perplexity: () => asked("perplexity", "https://api.perplexity.ai/chat/completions", "sonar"),
  togetherai: () => asked("together", "https://api.together.xyz/v1/rerank", "Salesforce/Llama-Rank-v1"),
  xai: (file) =>
    asked(
      "xai",
      `https://api.x.ai/v1/${file.startsWith("responses") ? "responses" : "chat/completions"}`,
      "grok-3-mini",
    ),
};

/** Names of the packages. */
export const packages = Object.keys(ADDRESSES);

/** Files of a package that are no answers to a request. */
export const frames = (name: string): readonly string[] =>
  bodies(name).flatMap(({ name: file }) => (ADDRESSES[name]?.(file) === null ? [file] : []));

/** All recorded bodies of a package with what they answer. */
export function bodyItems(name: string): readonly Item[] {
  return bodies(name).flatMap((recorded): readonly Item[] => {
    const found = ADDRESSES[name]?.(recorded.name) ?? null;
    return found === null ? [] : [itemOf(recorded, found)];
  });
}

function itemOf(recorded: RecordedBody, { provider, url, model }: Asked): Item {
  const request = {
    model,
    messages: [{ role: "user", content: "hi" }],
    input: "hi",
    query: "hi",
    documents: ["a", "b"],
  };
  const isError = /^\s*\{\s*"error"/.test(recorded.body);
  const binary = recorded.streamed && provider === "bedrock";
  return {
    name: recorded.name,
    provider,
    method: "POST",
    url: new URL(url),
    request: { contentType: "application/json", body: Buffer.from(JSON.stringify(request)) },
    status: isError ? 400 : 200,
    contentType: binary
      ? "application/vnd.amazon.eventstream"
      : recorded.streamed
        ? "text/event-stream"
        : "application/json",
    body: binary ? framesOf(recorded.body) : Buffer.from(recorded.body),
  };
}

/** Bedrock's events as they come over the wire: binary frames whose header names the event. */
function framesOf(events: string): Buffer {
  const lines = events.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
  return Buffer.concat(
    lines.map((line) => {
      const [[type, payload] = ["", {}]] = Object.entries(JSON.parse(line) as Record<string, unknown>);
      return frame(
        Buffer.concat([header(":event-type", type), header(":message-type", "event")]),
        JSON.stringify(payload),
      );
    }),
  );
}

/** A text header: length and name, kind 7, length and value. */
function header(name: string, value: string): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), size, Buffer.from(value)]);
}

/** Lengths, headers and payload; the checksums are left zero, since nobody here compares them. */
function frame(headers: Buffer, payload: string): Buffer {
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + body.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  return Buffer.concat([prelude, headers, body, Buffer.alloc(4)]);
}
