// The real SDKs with their default settings. Arguments: provider URL, client name. Prints one line of JSON: the answer's
// text, or the error as a developer sees it.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const [url, name] = process.argv.slice(2);
const messages = [{ role: "user", content: "hi" }];
const openai = () => new OpenAI({ baseURL: `${url}/v1`, apiKey: "a-key" });
const anthropic = () => new Anthropic({ baseURL: url, apiKey: "a-key" });
const aiOpenai = () => createOpenAI({ baseURL: `${url}/v1`, apiKey: "a-key" });
const aiAnthropic = () => createAnthropic({ baseURL: `${url}/v1`, apiKey: "a-key" });

const clients = {
  "openai chat": async () =>
    (await openai().chat.completions.create({ model: "fixed-model", max_tokens: 100, messages })).choices[0].message
      .content,
  "openai chat stream": async () => {
    let text = "";
    const stream = await openai().chat.completions.create({
      model: "fixed-model",
      max_tokens: 100,
      messages,
      stream: true,
    });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    return text;
  },
  "openai responses": async () =>
    (await openai().responses.create({ model: "fixed-model", input: "hi", max_output_tokens: 100 })).output_text,
  "openai embeddings": async () =>
    (await openai().embeddings.create({ model: "fixed-embedding", input: "hi" })).data[0].embedding.length,
  "anthropic messages": async () =>
    (await anthropic().messages.create({ model: "fixed-model", max_tokens: 100, messages })).content[0].text,
  "anthropic stream": async () =>
    anthropic().messages.stream({ model: "fixed-model", max_tokens: 100, messages }).finalText(),
  "ai openai": async () =>
    (await generateText({ model: aiOpenai().chat("fixed-model"), maxOutputTokens: 100, messages })).text,
  "ai openai responses": async () =>
    (await generateText({ model: aiOpenai()("fixed-model"), maxOutputTokens: 100, messages })).text,
  "ai anthropic": async () =>
    (await generateText({ model: aiAnthropic()("fixed-model"), maxOutputTokens: 100, messages })).text,
  "ai stream": async () => {
    let text = "";
    let failure = null;
    const { fullStream } = streamText({
      model: aiOpenai().chat("fixed-model"),
      maxOutputTokens: 100,
      messages,
      onError: () => {},
    });
    for await (const part of fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (part.type === "error") failure = part.error;
    }
    if (failure) throw failure;
    return text;
  },
};

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
clients[name]().then(
  (text) => print({ text }),
  (error) =>
    print({
      error: {
        name: error.name,
        type: error.constructor.name,
        status: error.status ?? error.statusCode,
        code: error.code ?? null,
        message: error.message,
      },
    }),
);
