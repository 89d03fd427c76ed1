/**
 * Reading what a Cohere request asks for: chat in the words of v2 and v1, texts and pictures to embed, what to rerank.
 */
import type { Operation } from "../call.ts";
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text, undecoded } from "../json.ts";
import { isText, type Text } from "../long-text.ts";
import { dataOf, imageSize, openaiImageTokens } from "../media.ts";
import { NOTHING_ASKED, type RequestFacts } from "../provider.ts";

/** Role names and separators around each message: about 4 tokens, at 3 bytes each. */
const MESSAGE_BYTES = 12;

/** What the body says; a body that is no object reads as one that says nothing. */
export function readCohereRequest(operation: Operation, json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  const said = operation === "embeddings" ? walkEmbed(body, all) : walkChat(body, all);
  return {
    ...NOTHING_ASKED,
    model: text(body.model),
    stream: body.stream === true,
    maxTokens: operation === "embeddings" ? null : positive(body.max_tokens),
    choices: positive(body.num_generations) ?? 1,
    textBytes: all.textBytes,
    mediaTokens: all.mediaTokens,
    system: said.system,
    tools: body.tools === undefined ? "" : JSON.stringify(body.tools),
    lastMessage: said.lastMessage,
  };
}

interface Said {
  readonly system: string;
  readonly lastMessage: string;
}

function walkChat(body: Fields, all: Gathering): Said {
  let system = all.listen(() => all.text(body.preamble));
  all.json(body.tools);
  all.json(body.response_format);
  all.json(body.documents);
  for (const turn of list(body.chat_history)) {
    all.text(fields(turn)?.message);
    all.json(fields(turn)?.tool_calls);
    all.json(fields(turn)?.tool_results);
  }
  let lastMessage = all.listen(() => {
    all.text(body.message);
    all.json(body.tool_results);
    // What `generate` goes on with.
    all.text(body.prompt);
  });
  const messages = list(body.messages);
  messages.forEach((item, index) => {
    const message = fields(item);
    if (message === null) return;
    all.textBytes += MESSAGE_BYTES;
    const last = index === messages.length - 1;
    const heard = all.listenIf(last || message.role === "system", () => {
      walkContent(message.content, all);
      all.text(message.tool_plan);
      for (const called of list(message.tool_calls)) all.json(fields(called)?.function);
    });
    if (message.role === "system") system += heard;
    if (last) lastMessage = `${text(message.role) ?? ""}\n${heard}`;
  });
  return { system, lastMessage };
}

function walkContent(content: unknown, all: Gathering): void {
  if (isText(content)) all.text(content);
  for (const item of list(content)) {
    const part = fields(item);
    if (part === null) continue;
    all.text(part.text);
    all.text(part.thinking);
    all.json(fields(part.document)?.data);
    const url = undecoded(fields(part.image_url)?.url) ?? undecoded(part.image_url);
    if (url !== null) walkImage(url, all);
  }
}

function walkEmbed(body: Fields, all: Gathering): Said {
  const lastMessage = all.listen(() => {
    for (const one of list(body.texts)) all.text(one);
    for (const url of list(body.images)) if (isText(url)) walkImage(url, all);
    for (const input of list(body.inputs)) walkContent(fields(input)?.content, all);
  });
  return { system: "", lastMessage };
}

/** Cohere counts pictures by pieces of their size, as OpenAI's tiles (docs.cohere.com, "Using images with the API"). */
function walkImage(url: Text, all: Gathering): void {
  const data = dataOf(url);
  all.media(openaiImageTokens("", data === null ? null : imageSize(data), null), url);
}
