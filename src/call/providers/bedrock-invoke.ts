/**
 * Reading what InvokeModel asks for: the body is in the model's own dialect, told by its keys since the address may hide
 * whose model it is.
 */
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, undecoded } from "../json.ts";
import { isText, type Text } from "../long-text.ts";
import { base64Bytes } from "../media.ts";
import { NOTHING_ASKED, type RequestFacts } from "../provider.ts";
import { readAnthropicRequest } from "./anthropic-request.ts";
import { readConverse } from "./bedrock-request.ts";
import { readOpenaiRequest } from "./openai-request.ts";

/** Which maker's words a body is in. */
export type InvokeDialect = "anthropic" | "nova" | "openai" | "plain";

/** The dialect of a body. */
export function dialectOf(body: Fields): InvokeDialect {
  if (body.anthropic_version !== undefined) return "anthropic";
  if (!Array.isArray(body.messages)) return "plain";
  const first = fields(list(fields(body.messages[0])?.content)[0]);
  const typed = first === null || first.type !== undefined;
  return body.inferenceConfig !== undefined || body.schemaVersion !== undefined || !typed ? "nova" : "openai";
}

/** What the body says, asked of `model`; a body that is no object reads as one that says nothing. */
export function readInvoke(json: unknown, model: string | null, stream: boolean): RequestFacts {
  const body = fields(json) ?? {};
  switch (dialectOf(body)) {
    case "anthropic":
      return { ...readAnthropicRequest(body, model), stream };
    case "nova":
      return readConverse(body, model, stream);
    case "openai":
      return { ...readOpenaiRequest("chat", body), model, stream };
    case "plain":
      return readPlain(body, model, stream);
  }
}

/** Names of the output limit where it stands at the top: Mistral and Cohere, Llama, Jurassic. */
export const LIMITS = Object.freeze(["max_tokens", "max_completion_tokens", "max_gen_len", "maxTokens"]);

/** Keys that hold what the model reads, in the words of Llama, Mistral, Titan, Cohere and the embedding models. */
const READ = [
  "prompt",
  "inputText",
  "message",
  "chat_history",
  "documents",
  "preamble",
  "tools",
  "tool_results",
  "texts",
  "inputs",
  "query",
  "singleEmbeddingParams",
  "segmentedEmbeddingParams",
] as const;

/** What is put around a prompt: up to 20 tokens in recorded traffic. */
const TEMPLATE_BYTES = 60;

function readPlain(body: Fields, model: string | null, stream: boolean): RequestFacts {
  const all = new Gathering();
  if (!/embed/.test(model ?? "")) all.textBytes += TEMPLATE_BYTES;
  const lastMessage = all.listen(() => {
    for (const key of READ) walk(body[key], all);
    for (const picture of [...list(body.images), body.inputImage]) {
      const data = undecoded(picture);
      if (data !== null) all.media(PICTURE, data);
    }
  });
  const named = LIMITS.map((name) => positive(body[name])).find((limit) => limit !== null);
  return {
    ...NOTHING_ASKED,
    model,
    stream,
    maxTokens: named ?? positive(fields(body.textGenerationConfig)?.maxTokenCount),
    choices: positive(body.num_generations) ?? 1,
    textBytes: all.textBytes,
    mediaTokens: all.mediaTokens,
    lastMessage,
  };
}

/** All texts in a value; what is long and without spaces is a picture or a sound in base64. */
function walk(value: unknown, all: Gathering): void {
  if (isText(value)) {
    if (value.length > 2_000 && !/\s/.test(value.slice(0, 2_000).toString())) all.media(mediaTokens(value), value);
    else all.text(value);
  } else if (Array.isArray(value)) for (const item of list(value)) walk(item, all);
  else for (const item of Object.values(fields(value) ?? {})) walk(item, all);
}

/** The greatest usual picture. */
const PICTURE = 4_784;

const mediaTokens = (base64: Text): number => Math.max(PICTURE, Math.ceil(base64Bytes(base64) / 100));
