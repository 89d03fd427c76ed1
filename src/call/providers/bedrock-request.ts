/**
 * Reading what a request to Amazon Bedrock's Converse API asks for; Nova's own dialect is the same but for names.
 */
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text, undecoded } from "../json.ts";
import { isText, type Text } from "../long-text.ts";
import { anthropicImageTokens, audioTokens, base64Bytes, documentTokens, imageSize } from "../media.ts";
import type { RequestFacts } from "../provider.ts";
import { density } from "./anthropic-request.ts";
import { termsOf } from "./bedrock-usage.ts";

const MESSAGE_BYTES = 12;

/** What is put around a request, more where the model thinks, and more for tools: as with Claude elsewhere. */
const REQUEST_BYTES = 24;
const THINKING_BYTES = 120;
const TOOL_PROMPT_BYTES = 2_400;

/** What the templates of other makers put before a prompt: up to 60 tokens in recorded traffic. */
const TEMPLATE_BYTES = 180;

/** What a wanted form of the answer brings along, up to about 100 tokens beside the schema in recorded traffic. */
const FORM_BYTES = 300;

/** What the body says, asked of `model`; a body that is no object reads as one that says nothing. */
export function readConverse(json: unknown, model: string | null, stream: boolean): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  all.textBytes += REQUEST_BYTES;
  if (!/anthropic|claude/.test(model ?? "")) all.textBytes += TEMPLATE_BYTES;
  const more = fields(body.additionalModelRequestFields) ?? {};
  if (fields(more.thinking) !== null || more.reasoningConfig !== undefined) all.textBytes += THINKING_BYTES;
  const system = all.listen(() => walkContent(body.system, all));
  const config = fields(body.toolConfig) ?? {};
  const tools = list(config.tools);
  for (const tool of tools) walkTool(fields(tool), all);
  if (tools.length > 0) all.textBytes += TOOL_PROMPT_BYTES;
  all.json(more.tools);
  if (body.outputConfig !== undefined) all.textBytes += FORM_BYTES;
  all.json(body.outputConfig);
  all.json(body.promptVariables);
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
  const limits = fields(body.inferenceConfig) ?? {};
  return {
    model,
    stream,
    maxTokens: positive(limits.maxTokens) ?? positive(limits.max_new_tokens) ?? positive(more.max_tokens),
    choices: 1,
    textBytes: Math.ceil(all.textBytes * density(model)),
    mediaTokens: all.mediaTokens,
    audioTokens: all.audioTokens,
    cacheWrite: all.cacheWrite,
    terms: termsOf(text(fields(body.serviceTier)?.type), text(fields(body.performanceConfig)?.latency)),
    system,
    tools: tools.length === 0 ? "" : JSON.stringify(tools),
    lastMessage,
  };
}

function walkTool(tool: Fields | null, all: Gathering): void {
  if (tool?.cachePoint !== undefined) all.caches(tool.cachePoint);
  else all.json(tool);
}

function walkContent(content: unknown, all: Gathering): void {
  if (isText(content)) all.text(content);
  else for (const block of list(content)) walkBlock(fields(block), all);
}

/** A block has one key, which is its kind; the result of a tool holds blocks of its own. */
function walkBlock(block: Fields | null, all: Gathering): void {
  if (block === null) return;
  all.text(block.text);
  all.json(block.json);
  if (block.cachePoint !== undefined) all.caches(block.cachePoint);
  walkText(fields(fields(block.guardContent)?.text), all);
  walkText(fields(fields(block.reasoningContent)?.reasoningText), all);
  all.text(fields(block.reasoningContent)?.redactedContent);
  walkContent(fields(block.citationsContent)?.content, all);
  walkNamed(fields(block.toolUse), all);
  walkNamed(fields(block.toolResult), all);
  walkNamed(fields(block.searchResult), all);
  walkPicture(fields(block.image) ?? fields(fields(block.guardContent)?.image), all);
  walkDocument(fields(block.document), all);
  const sound = fields(block.audio);
  if (sound !== null) all.audio(audioTokens(sizeOf(sound) || MINUTE_OF_SOUND), nameOf(sound));
  const film = fields(block.video);
  if (film !== null) all.media(videoTokens(sizeOf(film)), nameOf(film));
}

function walkText(part: Fields | null, all: Gathering): void {
  all.text(part?.text);
  // Reasoning comes back signed, and encrypted where it was hidden.
  all.text(part?.signature);
}

/** A tool's use has a name and input, its result and a found text have content; ids are left out, being new each turn. */
function walkNamed(part: Fields | null, all: Gathering): void {
  if (part === null) return;
  all.text(part.name);
  all.text(part.title);
  all.json(part.input);
  walkContent(part.content, all);
}

function walkPicture(image: Fields | null, all: Gathering): void {
  if (image === null) return;
  const data = undecoded(fields(image.source)?.bytes);
  // Nova counts more for a picture than Claude: 1,300 tokens for 900 x 900 (docs.aws.amazon.com/nova, image understanding).
  const tokens = Math.ceil(anthropicImageTokens(data === null ? null : imageSize(data)) * 1.5);
  all.media(tokens, nameOf(image));
}

/** How to cite is explained to the model, in up to 820 tokens in recorded traffic. */
const CITATION_BYTES = 2_600;

function walkDocument(document: Fields | null, all: Gathering): void {
  if (document === null) return;
  const source = fields(document.source);
  all.text(document.name);
  all.text(document.context);
  if (fields(document.citations)?.enabled === true) all.textBytes += CITATION_BYTES;
  all.text(source?.text);
  walkContent(source?.content, all);
  const bytes = sizeOf(document);
  if (source?.text !== undefined || source?.content !== undefined) return;
  // Plain formats are read as the text they are; the bytes of it are counted, not decoded.
  const plain = bytes > 0 && PLAIN.test(String(document.format));
  if (plain) all.textBytes += bytes;
  all.media(plain ? 0 : documentTokens(bytes), nameOf(document));
}

const PLAIN = /^(txt|md|csv|html)$/;

/** Bytes of a sound that lies elsewhere. */
const MINUTE_OF_SOUND = 480_000;

/** Bytes of what a block carries itself; 0 where it lies elsewhere. */
const sizeOf = (part: Fields): number => base64Bytes(undecoded(fields(part.source)?.bytes) ?? "");

/** What tells two apart: the data, or the place. */
function nameOf(part: Fields): Text {
  const source = fields(part.source);
  return undecoded(source?.bytes) ?? text(fields(source?.s3Location)?.uri) ?? "";
}

/**
 * Nova reads a frame a second, 288 tokens each (docs.aws.amazon.com/nova, video understanding). A second is taken as
 * 50 KB, and a film that lies elsewhere as a minute.
 */
const videoTokens = (bytes: number): number => 288 * (bytes === 0 ? 60 : Math.ceil(bytes / 50_000));
