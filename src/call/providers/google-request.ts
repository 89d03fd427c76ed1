/**
 * Reading what a Gemini request asks for: generateContent and its stream, embeddings, interactions. Google's JSON takes
 * every name in two spellings, `generationConfig` and `generation_config`.
 */
import type { Operation } from "../call.ts";
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text, undecoded } from "../json.ts";
import { isText } from "../long-text.ts";
import type { RequestFacts, Terms } from "../provider.ts";
import { googleAddress } from "./google-address.ts";
import { gatherMedia } from "./google-media.ts";
import { readOpenaiRequest } from "./openai-request.ts";

/** Around each turn: a role and its marks. */
const TURN_BYTES = 12;

/** Around each declared function, and what tools of Google's own (search, code) put before the prompt. */
const TOOL_BYTES = 60;
const OWN_TOOL_BYTES = 300;

/** What says to answer in a form: up to about 15 tokens in recorded traffic. */
const SCHEMA_BYTES = 45;

/** A context that was cached: it is worth that from 1,024 to 4,096 tokens on (ai.google.dev/gemini-api/docs/caching). */
const CACHED_TOKENS = 10_000;

/** The API takes 8 candidates at most. */
const MOST_CHOICES = 8;

/** What the body says; a body that is no object reads as one that says nothing. */
export function readGoogleRequest(operation: Operation, json: unknown, path: string): RequestFacts {
  const address = googleAddress(path);
  if (address.compatible) return readOpenaiRequest(operation, json);
  const body = fields(json) ?? {};
  const model = address.model ?? text(body.model) ?? text(body.agent);
  const all = new Gathering();
  const config = fields(named(body, "generationConfig")) ?? {};
  const said = (readers[operation] ?? readContents)(body, all, model ?? "");
  // One tool may stand without a list.
  const tools = fields(body.tools) === null ? list(body.tools) : [body.tools];
  for (const tool of tools) gatherTool(fields(tool), all);
  const schema = named(config, "responseSchema") ?? named(config, "responseJsonSchema") ?? config._responseJsonSchema;
  if (schema !== undefined) all.textBytes += SCHEMA_BYTES;
  all.json(schema);
  all.json(body.response_format);
  // What was cached before is read with it, and only its name is told.
  const cached = text(named(body, "cachedContent"));
  if (cached !== null) all.media(CACHED_TOKENS, cached);
  return {
    model,
    stream: address.verb.startsWith("stream") || body.stream === true,
    maxTokens: operation === "embeddings" ? null : positive(named(config, "maxOutputTokens")),
    choices: Math.min(MOST_CHOICES, positive(named(config, "candidateCount")) ?? 1),
    textBytes: all.textBytes,
    mediaTokens: all.mediaTokens,
    audioTokens: all.audioTokens,
    cacheWrite: "none",
    terms: googleTerms(named(body, "serviceTier")),
    ...said,
    tools: tools.length === 0 ? "" : JSON.stringify(tools),
  };
}

/** The value under a name in either spelling. */
export function named(body: Fields, name: string): unknown {
  return body[name] ?? body[snake(name)];
}

/** `generationConfig` → `generation_config`. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `SERVICE_TIER_FLEX`, `flex` → flex. */
export function googleTerms(tier: unknown): Terms {
  const said =
    text(tier)
      ?.toLowerCase()
      .replace(/^service_tier_/, "") ?? null;
  return { tier: said, speed: null, region: null };
}

interface Said {
  readonly system: string;
  readonly lastMessage: string;
}

type Reader = (body: Fields, all: Gathering, model: string) => Said;

const readers: Partial<Record<Operation, Reader>> = { embeddings: readEmbeddings, responses: readInteraction };

function readContents(body: Fields, all: Gathering, model: string): Said {
  const instruction = named(body, "systemInstruction");
  const system = all.listen(() => gatherContent(instruction, all, model));
  let lastMessage = "";
  const contents = Array.isArray(body.contents) ? list(body.contents) : [body.contents];
  contents.forEach((content, index) => {
    all.textBytes += TURN_BYTES;
    const last = index === contents.length - 1;
    const turn = all.listenIf(last, () => gatherContent(content, all, model));
    if (last) lastMessage = `${text(fields(content)?.role) ?? ""}\n${turn}`;
  });
  return { system, lastMessage };
}

/** A content with its parts; a bare text or list of parts is taken too, as some gateways do. */
function gatherContent(content: unknown, all: Gathering, model: string): void {
  if (isText(content)) all.text(content);
  const parts = fields(content)?.parts ?? content;
  for (const part of Array.isArray(parts) ? list(parts) : [parts]) gatherPart(fields(part), all, model);
}

function gatherPart(part: Fields | null, all: Gathering, model: string): void {
  if (part === null) return;
  all.text(part.text);
  // Earlier thoughts are read again; they come back sealed, longer than they were.
  all.text(named(part, "thoughtSignature"));
  gatherData(named(part, "inlineData") ?? named(part, "fileData"), all, model);
  const called = fields(named(part, "functionCall"));
  all.text(called?.name);
  all.json(called?.args);
  const answered = fields(named(part, "functionResponse"));
  all.text(answered?.name);
  all.json(answered?.response);
  for (const inner of list(answered?.parts)) gatherPart(fields(inner), all, model);
  all.json(named(part, "executableCode"));
  all.json(named(part, "codeExecutionResult"));
}

function gatherData(value: unknown, all: Gathering, model: string): void {
  const media = fields(value);
  if (media === null) return;
  const data = undecoded(media.data);
  const name = data ?? text(named(media, "fileUri")) ?? text(media.uri) ?? "";
  gatherMedia(all, model, { mimeType: text(named(media, "mimeType")) ?? "", data, name });
}

function gatherTool(tool: Fields | null, all: Gathering): void {
  if (tool === null) return;
  const functions = list(named(tool, "functionDeclarations"));
  if (functions.length === 0) all.textBytes += OWN_TOOL_BYTES;
  all.textBytes += functions.length * TOOL_BYTES;
  all.json(tool);
}

/** One content, several requests, or the instances of a prediction on Vertex. */
function readEmbeddings(body: Fields, all: Gathering, model: string): Said {
  const lastMessage = all.listen(() => {
    gatherContent(body.content, all, model);
    for (const item of list(body.requests)) {
      all.text(fields(item)?.title);
      gatherContent(fields(item)?.content, all, model);
    }
    for (const item of list(body.instances)) {
      const instance = fields(item) ?? {};
      for (const key of ["content", "text", "title", "prompt"]) all.text(instance[key]);
      const image = fields(instance.image);
      if (image !== null) gatherMedia(all, model, pictureOf(image));
    }
  });
  return { system: "", lastMessage };
}

function pictureOf(image: Fields) {
  const data = undecoded(image.bytesBase64Encoded);
  return { mimeType: "image/", data, name: data ?? text(image.gcsUri) ?? "" };
}

/** Strings of an interaction's steps that are no text. */
const NO_TEXT = new Set(["type", "role", "id", "call_id", "mime_type", "uri", "data", "status"]);

function readInteraction(body: Fields, all: Gathering, model: string): Said {
  const instruction = named(body, "systemInstruction");
  const system = all.listen(() => gatherStep(instruction, all, model));
  const steps = Array.isArray(body.input) ? list(body.input) : [body.input];
  let lastMessage = "";
  steps.forEach((step, index) => {
    all.textBytes += TURN_BYTES;
    const last = index === steps.length - 1;
    const said = all.listenIf(last, () => gatherStep(step, all, model));
    if (last) lastMessage = said;
  });
  return { system, lastMessage };
}

/** Steps nest: a turn has contents, a content has texts or pictures, a call has arguments. */
function gatherStep(step: unknown, all: Gathering, model: string): void {
  if (isText(step)) all.text(step);
  else if (Array.isArray(step)) for (const inner of list(step)) gatherStep(inner, all, model);
  const one = fields(step);
  if (one === null) return;
  if (one.mime_type !== undefined || one.uri !== undefined) gatherData(one, all, model);
  for (const [key, value] of Object.entries(one)) if (!NO_TEXT.has(key)) gatherStep(value, all, model);
}
