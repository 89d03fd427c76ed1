import { hash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Operation } from "../../src/call/call.ts";
import { parseBody, parseBytes } from "../../src/call/json.ts";
import { LongText } from "../../src/call/long-text.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import type { Provider } from "../../src/call/provider.ts";
import { ANTHROPIC_MESSAGES, aCall, aRequest, at, OPENAI_RESPONSES, read } from "./builders.ts";
import { pick, type Random, random, someText, spelled } from "./random-json.ts";

const PNG = Buffer.alloc(20_000, 7);
PNG.writeUInt32BE(0x89504e47, 0);
PNG.writeUInt32BE(640, 16);
PNG.writeUInt32BE(480, 20);
const JPEG = Buffer.alloc(20_000, 1);
JPEG.set([0xff, 0xd8, 0xff, 0xe0, 0x27, 0x10], 0);
JPEG.set([0xff, 0xc0, 0, 17, 8, 2, 0, 3, 0], 0x2714);
const base64 = (dice: Random): string => pick(dice, [PNG, JPEG]).toString("base64");

/** Texts of over 64 KB of JSON are condensed as they stand there. */
const LENGTHS = [5, 100, 700, 2_000, 9_000] as const;
/** Without the mark, whose bodies are parsed. */
const words = (dice: Random): string => someText(dice, pick(dice, LENGTHS)).replaceAll("\u007f", "");
const args = (dice: Random): object => ({ path: words(dice), body: words(dice), more: [words(dice), 7, null] });
const many = <One>(dice: Random, make: () => One): One[] => Array.from({ length: 3 + dice(6) }, make);

type Maker = (dice: Random) => object;

/** Names and limits as nobody gives them are read all the same. */
const odd = (dice: Random): object =>
  pick(dice, [{}, { model: words(dice) }, { service_tier: words(dice), user: words(dice), metadata: args(dice) }]);

const openaiPart: Maker = (dice) =>
  pick(dice, [
    () => ({ type: "text", text: words(dice) }),
    () => ({ type: "image_url", image_url: { url: `data:image/png;base64,${base64(dice)}`, detail: "high" } }),
    () => ({ type: "input_image", image_url: `https://pictures.example/${words(dice)}` }),
    () => ({ type: "input_audio", input_audio: { data: base64(dice), format: "wav" } }),
    () => ({ type: "file", file: { file_data: base64(dice), filename: words(dice) } }),
  ])();

const openaiMessage: Maker = (dice) =>
  pick(dice, [
    () => ({ role: pick(dice, ["system", "user", "developer"]), content: words(dice), name: words(dice) }),
    () => ({ role: "user", content: many(dice, () => openaiPart(dice)) }),
    () => ({
      role: "assistant",
      tool_calls: [{ id: "c", function: { name: "f", arguments: JSON.stringify(args(dice)) } }],
    }),
    () => ({ role: "tool", tool_call_id: words(dice), content: words(dice) }),
    () => ({ type: "function_call_output", call_id: "c", output: words(dice), action: args(dice) }),
  ])();

const tools: Maker = (dice) => [
  { type: "function", function: { name: "f", description: words(dice), parameters: args(dice) } },
];

const openai: Maker = (dice) => {
  const messages = many(dice, () => openaiMessage(dice));
  return {
    model: "gpt-5",
    messages,
    input: pick(dice, [messages, words(dice)]),
    instructions: words(dice),
    tools: tools(dice),
    ...odd(dice),
  };
};

const anthropicBlock: Maker = (dice) =>
  pick(dice, [
    () => ({ type: "text", text: words(dice), cache_control: { type: "ephemeral", ttl: "1h" } }),
    () => ({ type: "image", source: { type: "base64", media_type: "image/png", data: base64(dice) } }),
    () => ({ type: "document", title: words(dice), source: { type: "text", data: words(dice) } }),
    () => ({ type: "document", source: { type: "base64", data: base64(dice) } }),
    () => ({ type: "tool_use", id: "t", name: "f", input: args(dice) }),
    () => ({
      type: "tool_result",
      tool_use_id: "t",
      content: pick(dice, [words(dice), [{ type: "text", text: words(dice) }]]),
    }),
    () => ({ type: "thinking", thinking: words(dice), signature: words(dice) }),
  ])();

const anthropicBody: Maker = (dice) => ({
  model: "claude-opus-5",
  max_tokens: 9,
  system: pick(dice, [words(dice), [{ type: "text", text: words(dice) }]]),
  messages: many(dice, () => ({
    role: "user",
    content: pick(dice, [words(dice), many(dice, () => anthropicBlock(dice))]),
  })),
  tools: [{ name: "f", description: words(dice), input_schema: args(dice) }],
  ...odd(dice),
});

const googlePart: Maker = (dice) =>
  pick(dice, [
    () => ({ text: words(dice), thoughtSignature: words(dice) }),
    () => ({
      inlineData: {
        mimeType: pick(dice, ["image/png", "audio/wav", "video/mp4", "application/pdf"]),
        data: base64(dice),
      },
    }),
    () => ({ inline_data: { mime_type: "text/plain", data: Buffer.from(words(dice)).toString("base64") } }),
    () => ({ functionCall: { name: "f", args: args(dice) } }),
    () => ({ functionResponse: { name: "f", response: args(dice) } }),
  ])();

const google: Maker = (dice) => ({
  systemInstruction: { parts: [{ text: words(dice) }] },
  contents: many(dice, () => ({ role: "user", parts: many(dice, () => googlePart(dice)) })),
  input: [
    words(dice),
    {
      content: [
        { type: "text", text: words(dice) },
        { mime_type: "image/png", data: base64(dice) },
      ],
    },
  ],
  requests: many(dice, () => ({ title: words(dice), content: { parts: [{ text: words(dice) }] } })),
  instances: [{ prompt: words(dice), content: words(dice), image: { bytesBase64Encoded: base64(dice) } }],
  generationConfig: { responseSchema: args(dice), maxOutputTokens: 9 },
  tools: [{ functionDeclarations: tools(dice) }],
  ...odd(dice),
});

const converse: Maker = (dice) => ({
  system: [{ text: words(dice) }],
  messages: many(dice, () => ({
    role: "user",
    content: [
      { text: words(dice) },
      { image: { format: "png", source: { bytes: base64(dice) } } },
      { document: { format: pick(dice, ["txt", "pdf"]), name: words(dice), source: { bytes: base64(dice) } } },
      { toolUse: { toolUseId: "t", name: "f", input: args(dice) } },
      { toolResult: { toolUseId: "t", content: [{ json: args(dice) }, { text: words(dice) }] } },
      { reasoningContent: { reasoningText: { text: words(dice), signature: words(dice) } } },
    ],
  })),
  toolConfig: { tools: [{ toolSpec: { name: "f", description: words(dice), inputSchema: { json: args(dice) } } }] },
  promptVariables: args(dice),
});

const others: Maker = (dice) => ({
  model: words(dice),
  prompt: pick(dice, [words(dice), [words(dice), words(dice)]]),
  suffix: words(dice),
  system: words(dice),
  preamble: words(dice),
  message: words(dice),
  inputText: words(dice),
  images: [base64(dice), `data:image/png;base64,${base64(dice)}`],
  image: base64(dice),
  query: words(dice),
  queries: [{ textQuery: words(dice) }],
  documents: many(dice, () => pick(dice, [words(dice), args(dice)])),
  texts: [words(dice)],
  chat_history: [{ message: words(dice) }],
  input: words(dice),
  textToImageParams: { text: words(dice), negativeText: words(dice) },
  response_format: args(dice),
  tools: tools(dice),
  messages: many(dice, () => openaiMessage(dice)),
  requests: [{ params: anthropicBody(dice) }],
  batch: { input_config: { requests: { requests: [{ request: google(dice) }] } } },
});

const MODEL = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers";

/** Every reader of requests, and what is given it to read. */
const READERS: readonly (readonly [url: string, makers: readonly Maker[]])[] = [
  ["https://api.openai.com/v1/chat/completions", [openai, others]],
  ["https://api.openai.com/v1/responses", [openai, others]],
  ["https://api.openai.com/v1/completions", [others]],
  ["https://api.openai.com/v1/embeddings", [others]],
  ["https://api.openai.com/v1/images/edits", [others]],
  ["https://api.openai.com/v1/audio/speech", [others]],
  ["https://api.anthropic.com/v1/messages", [anthropicBody, others]],
  ["https://api.anthropic.com/v1/messages/batches", [others]],
  ["https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent", [google]],
  ["https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent", [google]],
  ["https://generativelanguage.googleapis.com/v1beta/interactions", [google]],
  ["https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents", [google]],
  ["https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:batchGenerateContent", [others]],
  ["https://generativelanguage.googleapis.com/v1beta/models/imagen-4:predict", [google]],
  [`${MODEL}/anthropic/models/claude-opus-5:rawPredict`, [anthropicBody]],
  ["https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1:0/converse", [converse]],
  ["https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1:0/invoke", [converse, openai, others]],
  ["https://bedrock-runtime.us-east-1.amazonaws.com/model/meta.llama3-8b-instruct-v1:0/invoke", [others]],
  ["https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-image-generator-v2:0/invoke", [others]],
  ["https://bedrock-agent-runtime.us-east-1.amazonaws.com/rerank", [others]],
  ["https://api.cohere.com/v2/chat", [others, openai]],
  ["https://api.cohere.com/v2/embed", [others]],
  ["https://api.cohere.com/v2/rerank", [others]],
  ["https://ollama.com/api/chat", [others]],
  ["https://api.mistral.ai/v1/chat/completions", [openai]],
  ["https://openrouter.ai/api/v1/chat/completions", [openai]],
];

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices();
});

describe("what a skimmed request asks for", () => {
  it.each(READERS)("is what it asks for when it is parsed: %s", (address, makers) => {
    const url = new URL(address);
    const { provider, operation } = at(url.hostname, url.pathname, "POST");
    let skimmed = 0;
    const sizes: Sizes = { counted: [], exact: [] };
    for (let seed = 1; seed <= 25; seed += 1) {
      const dice = random(seed);
      const body = { padding: "p".repeat(70_000), ...pick(dice, makers)(dice) };
      const json = Buffer.from(spelled(body, dice));
      const asked = parseBody(json);
      if (holdsLong(asked)) skimmed += 1;
      const facts = readerOf(provider, operation, url.pathname);
      expect(facts(asked, sizes.counted), `seed ${seed}`).toBe(facts(parseBytes(json), sizes.exact));
    }
    expect(skimmed).toBeGreaterThan(20);
    // Escapes are counted by samples; these texts have more of them, and stranger ones, than any prompt.
    const [counted, exact] = [sum(sizes.counted), sum(sizes.exact)];
    expect(counted).toBeGreaterThanOrEqual(exact * 0.95);
    expect(counted).toBeLessThanOrEqual(exact * 1.25);
  });

  it.each(READERS)("is exactly that where nothing in it is escaped: %s", (address, makers) => {
    const url = new URL(address);
    const { provider, operation } = at(url.hostname, url.pathname, "POST");
    const sizes: Sizes = { counted: [], exact: [] };
    for (let seed = 1; seed <= 10; seed += 1) {
      const dice = random(seed);
      const body = pick(dice, makers)(dice);
      const json = Buffer.from(JSON.stringify({ padding: "p".repeat(70_000), ...body }, unescaped));
      const facts = readerOf(provider, operation, url.pathname);
      expect(facts(parseBody(json), sizes.counted), `seed ${seed}`).toBe(facts(parseBytes(json), sizes.exact));
    }
    expect(sizes.counted).toEqual(sizes.exact);
  });

  it("has no text in it that was not decoded", () => {
    const dice = random(9);
    for (let seed = 1; seed <= 40; seed += 1) {
      const body = Buffer.from(
        JSON.stringify({ ...openai(dice), model: "m".repeat(900), padding: "p".repeat(70_000) }),
      );
      const { call, facts } = read(prices, body.toString());
      expect(call.modelAsSent).toMatch(/^m+~[0-9a-f]{16}$/);
      expect(holdsLong(facts) || holdsLong(call)).toBe(false);
    }
  });
});

/** Bytes of text as they are counted, and as they are. */
interface Sizes {
  readonly counted: number[];
  readonly exact: number[];
}

/** The facts, with a digest in the place of each text, since a difference is printed; `sizes` is given the bytes of text. */
const readerOf = (provider: Provider, operation: Operation, path: string) => (body: unknown, sizes: number[]) =>
  JSON.stringify(
    provider.readRequest(operation, body, path),
    (name, value) => {
      if (name === "textBytes") sizes.push(value);
      return name === "textBytes" ? undefined : digested(value);
    },
    1,
  );

const digested = (value: unknown): unknown =>
  typeof value === "string" && value.length > 200
    ? `${value.slice(0, 30)} ${value.length} ${hash("sha256", value)}`
    : value;

const unescaped = (_name: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(/[^ -~\u00a0-\ud7ff]|["\\]/g, " ") : value;

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

const holdsLong = (value: unknown): boolean =>
  value instanceof LongText ||
  (typeof value === "object" && value !== null && Object.values(value).some((held) => holdsLong(held)));

describe("the fingerprint of a long body", () => {
  const prose = 'A budget is a promise that was kept,\nsaid the clerk "on the 3rd" of May. ';
  const turns = Array.from({ length: 400 }, (_, index) => ({
    role: index % 2 ? "assistant" : "user",
    content: prose.repeat(33),
  }));
  const ids = ["req_011CcaGs24UqTfYHgDWn7trH", "req_022CcaGs24UqTfYHgDWn7trX"] as const;
  const conversation = (last: string, earlier: readonly object[] = turns): string | null =>
    aCall(prices, { model: "gpt-5", messages: [...earlier, { role: "user", content: last }] }).fingerprint;

  it("is that of the same work with another request id, and with another history", () => {
    for (const length of [10, 500, 2_000]) {
      const last = (id: string): string => `${prose.repeat(length / 10)} failed: ${id} at 2026-11-22T10:00:00Z`;
      expect(conversation(last(ids[0]))).toBe(conversation(last(ids[1])));
      expect(conversation(last(ids[0]))).toBe(conversation(last(ids[1]), turns.slice(7)));
      expect(conversation(last(ids[0]))).not.toBe(conversation(`${last(ids[0])}!`));
    }
  });

  it("tells a long text by its middle, by its ends but for ids, and by its length", () => {
    const long = (middle: string, id: string): string =>
      `${id}\n${prose.repeat(7_000)}${middle}${prose.repeat(7_000)}\n${id}`;
    const all = ["x", "y", ""].map((middle) => conversation(long(middle, ids[0])));
    expect(new Set(all).size).toBe(3);
    expect(conversation(long("x", ids[1]))).toBe(all[0]);
  });

  it("is that of the same words where they are parsed, as long as nothing in them is escaped", () => {
    const plain = "a budget is a promise ".repeat(40_000);
    const forged = { role: "user", content: "\u007f" };
    const asked = (earlier: readonly object[]): string | null => conversation(plain, earlier);
    expect(asked([forged])).toBe(asked([]));
  });

  it("belongs to Anthropic's and to a response's words too", () => {
    const last = (id: string): object[] => [
      ...turns,
      { role: "user", content: [{ type: "text", text: `${prose.repeat(99)} ${id}` }] },
    ];
    for (const recognised of [ANTHROPIC_MESSAGES, OPENAI_RESPONSES]) {
      const [one, two] = ids.map((id) => {
        const body = { model: "m", system: prose.repeat(30), messages: last(id), input: last(id) };
        return aCall(prices, body, { recognised }).fingerprint;
      });
      expect(one).toMatch(/^[0-9a-f]{16}$/);
      expect(one).toBe(two);
    }
  });
});

it("estimates a long body that is no JSON by its length", () => {
  const whole = JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "x".repeat(300_000) }] });
  const { call } = read(prices, aRequest(prices, whole.slice(0, -3)).body?.toString());
  expect(call).toMatchObject({ model: "(unknown)", inputTokens: Math.ceil((whole.length - 3) / 3) });
});
