/**
 * Reading what an Anthropic messages request asks for.
 */
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text, undecoded } from "../json.ts";
import { isText } from "../long-text.ts";
import { anthropicImageTokens, base64Bytes, documentTokens, imageSize } from "../media.ts";
import type { RequestFacts } from "../provider.ts";

const MESSAGE_BYTES = 12;

/** Around a picture: about 10 tokens beside those of its size. */
const IMAGE_BYTES = 30;

/** What says in which form, or within which bounds, to answer: up to about 130 tokens in recorded traffic. */
const OUTPUT_BYTES = 400;

/** What says how to cite: up to about 560 tokens. */
const CITATION_BYTES = 1_700;

/** Around a document that is a text: about 30 tokens. */
const DOCUMENT_BYTES = 100;

/** What says how to condense a long conversation: up to about 90 tokens. */
const CONDENSING_BYTES = 300;

/** What the API itself puts around a request, and more of it where the model is to think: recorded traffic. */
const REQUEST_BYTES = 24;
const THINKING_BYTES = 120;

/**
 * The hidden system prompt that any tool brings, and each server tool's own: up to about 800 tokens
 * (platform.claude.com/docs, tool use pricing).
 */
const TOOL_PROMPT_BYTES = 2_400;

/** What the body says, asked of `model`; a body that is no object reads as one that says nothing. */
export function readAnthropicRequest(json: unknown, model = text(fields(json)?.model)): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  all.textBytes += REQUEST_BYTES;
  if (fields(body.thinking) !== null) all.textBytes += THINKING_BYTES;
  all.caches(body.cache_control);
  const system = all.listen(() => walkContent(body.system, all));
  const tools = list(body.tools);
  for (const tool of tools) {
    all.json(tool);
    all.caches(fields(tool)?.cache_control);
  }
  if (tools.length > 0) all.textBytes += TOOL_PROMPT_BYTES;
  all.json(body.output_format);
  all.json(body.output_config);
  if (fields(body.output_config) !== null || fields(body.output_format) !== null) all.textBytes += OUTPUT_BYTES;
  const messages = list(body.messages);
  let lastMessage = "";
  messages.forEach((item, index) => {
    const message = fields(item);
    if (message === null) return;
    all.textBytes += MESSAGE_BYTES;
    const last = index === messages.length - 1;
    const said = all.listenIf(last, () => walkContent(message.content, all));
    if (last) lastMessage = `${text(message.role) ?? ""}\n${said}`;
  });
  if (messages.some(asksForCitations)) all.textBytes += CITATION_BYTES;
  if (fields(body.context_management) !== null) all.textBytes += CONDENSING_BYTES;
  return {
    model,
    stream: body.stream === true,
    maxTokens: positive(body.max_tokens),
    choices: 1,
    textBytes: Math.ceil(all.textBytes * density(model)),
    mediaTokens: all.mediaTokens,
    audioTokens: 0,
    cacheWrite: all.cacheWrite,
    terms: { tier: text(body.service_tier), speed: text(body.speed), region: text(body.inference_geo) },
    system,
    tools: tools.length === 0 ? "" : JSON.stringify(tools),
    lastMessage,
  };
}

/**
 * The tokenizer since Opus 4.7 makes up to 1.35 times as many tokens of the same text
 * (platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7).
 */
export const density = (model: string | null): number =>
  model !== null && /claude-(opus-(4[-.][7-9]|[5-9])|(sonnet|haiku|fable|mythos)-[5-9])/.test(model) ? 1.35 : 1;

/** Documents and results of searches may be cited, also those that a tool brings. */
const asksForCitations = (holder: unknown): boolean =>
  blocksOf(fields(holder)?.content).some(
    (block) => fields(fields(block)?.citations)?.enabled === true || asksForCitations(block),
  );

/** What a request of the time before messages asks for: a prompt that is to be gone on with. */
export function readAnthropicCompletion(json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  const lastMessage = all.listen(() => all.text(body.prompt));
  return {
    ...readAnthropicRequest({}),
    model: text(body.model),
    stream: body.stream === true,
    maxTokens: positive(body.max_tokens_to_sample),
    textBytes: all.textBytes + REQUEST_BYTES,
    lastMessage,
  };
}

function walkContent(content: unknown, all: Gathering): void {
  if (isText(content)) all.text(content);
  else for (const block of blocksOf(content)) walkBlock(fields(block), all);
}

/** A page that was fetched, and the output of code that was run, stand alone without a list. */
const blocksOf = (content: unknown): readonly unknown[] => (fields(content) === null ? list(content) : [content]);

/** Blocks nest: a tool's result holds text and pictures of its own. */
function walkBlock(block: Fields | null, all: Gathering): void {
  if (block === null) return;
  all.caches(block.cache_control);
  if (block.type === "image" || block.type === "document") {
    walkSource(block, all);
    return;
  }
  all.text(block.text);
  all.text(block.thinking);
  // What was thought in secret comes back encrypted, a little longer than it was.
  all.text(block.data);
  all.json(block.input);
  all.text(block.name);
  if (block.type === "search_result") all.text(block.title);
  walkContent(block.content, all);
  all.text(block.stdout);
  all.text(block.stderr);
  // A found page comes back encrypted and is read again as input.
  all.text(block.encrypted_content);
  all.text(block.encrypted_stdout);
}

function walkSource(block: Fields, all: Gathering): void {
  const source = fields(block.source) ?? {};
  const data = undecoded(source.data);
  const name = data ?? undecoded(source.url) ?? text(source.file_id) ?? "";
  all.text(block.title);
  all.text(block.context);
  if (block.type === "document") all.textBytes += DOCUMENT_BYTES;
  if (source.type === "text") all.text(data);
  else if (source.type === "content") walkContent(source.content, all);
  else if (block.type === "image") {
    all.textBytes += IMAGE_BYTES;
    all.media(anthropicImageTokens(data === null ? null : imageSize(data)), name);
  } else all.media(documentTokens(data === null ? 0 : base64Bytes(data)), name);
}
