/**
 * Reading what a native Ollama request asks for: messages or a prompt, and texts to embed (docs.ollama.com/api).
 */
import type { Operation } from "../call.ts";
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text, undecoded } from "../json.ts";
import { base64Bytes, openaiImageTokens } from "../media.ts";
import { NOTHING_ASKED, type RequestFacts } from "../provider.ts";

/** Role names and separators around each message: about 4 tokens, at 3 bytes each. */
const MESSAGE_BYTES = 12;

/** What the body says; it streams where it does not say otherwise. */
export function readOllamaRequest(operation: Operation, json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const model = text(body.model);
  const all = new Gathering();
  const said = operation === "embeddings" ? walkTexts(body, all) : walkAll(body, all, model ?? "");
  all.json(body.tools);
  all.json(body.format);
  return {
    ...NOTHING_ASKED,
    model,
    stream: operation !== "embeddings" && body.stream !== false,
    maxTokens: positive(fields(body.options)?.num_predict),
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

function walkTexts(body: Fields, all: Gathering): Said {
  const input = body.input ?? body.prompt;
  const lastMessage = all.listen(() => {
    for (const one of Array.isArray(input) ? input : [input]) all.text(one);
  });
  return { system: "", lastMessage };
}

function walkAll(body: Fields, all: Gathering, model: string): Said {
  let system = all.listen(() => all.text(body.system));
  let lastMessage = all.listen(() => {
    all.text(body.prompt);
    all.text(body.suffix);
    walkImages(body, all, model);
  });
  const messages = list(body.messages);
  messages.forEach((item, index) => {
    const message = fields(item);
    if (message === null) return;
    all.textBytes += MESSAGE_BYTES;
    const last = index === messages.length - 1;
    const said = all.listenIf(last || message.role === "system", () => {
      all.text(message.content);
      all.text(message.thinking);
      all.json(message.tool_calls);
      walkImages(message, all, model);
    });
    if (message.role === "system") system += said;
    if (last) lastMessage = `${text(message.role) ?? ""}\n${said}`;
  });
  return { system, lastMessage };
}

function walkImages(holder: Fields, all: Gathering, model: string): void {
  for (const image of list(holder.images)) {
    const data = undecoded(image) ?? "";
    if (base64Bytes(data) > 0) all.media(openaiImageTokens(model, null, null), data);
  }
}
