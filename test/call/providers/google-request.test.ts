import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../../src/call/call.ts";
import { google } from "../../../src/call/providers/google.ts";
import { vertex } from "../../../src/call/providers/vertex.ts";

const PATH = "/v1beta/models/gemini-2.5-flash:generateContent";

const read = (body: unknown, path = PATH, operation: Operation = "generate") =>
  google.readRequest(operation, body, path);

const ask = (parts: readonly unknown[], more: object = {}) => ({ contents: [{ role: "user", parts }], ...more });

/** A picture of that size without anything in it. */
function png(width: number, height: number): string {
  const head = Buffer.alloc(33);
  head.writeUInt32BE(0x89504e47, 0);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return Buffer.concat([head, deflateSync(Buffer.alloc(8))]).toString("base64");
}

function wave(seconds: number, bytesPerSecond: number): string {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(bytesPerSecond, 28);
  return Buffer.concat([head, Buffer.alloc(seconds * bytesPerSecond)]).toString("base64");
}

describe("what a Gemini request says", () => {
  it("names its model in the address and its limit in the configuration, in either spelling", () => {
    const camel = read(ask([{ text: "hi" }], { generationConfig: { maxOutputTokens: 300, candidateCount: 2 } }));
    expect(camel).toMatchObject({ model: "gemini-2.5-flash", maxTokens: 300, choices: 2, stream: false });
    const snake = read(ask([{ text: "hi" }], { generation_config: { max_output_tokens: 300, candidate_count: 2 } }));
    expect(snake).toEqual(camel);
  });

  it("streams by its address", () => {
    expect(read(ask([]), "/v1beta/models/m:streamGenerateContent").stream).toBe(true);
  });

  it("counts all text that the model reads", () => {
    const text = "word ".repeat(20);
    const least = read(ask([])).textBytes + text.length;
    const bodies = [
      ask([{ text }]),
      ask([], { systemInstruction: { parts: [{ text }] } }),
      ask([], { system_instruction: { parts: [{ text }] } }),
      ask([{ functionCall: { name: "f", args: { text } } }]),
      ask([{ function_call: { name: "f", args: { text } } }]),
      ask([{ functionResponse: { name: "f", response: { text } } }]),
      ask([{ thoughtSignature: text }]),
      ask([{ executableCode: { code: text } }]),
      ask([{ codeExecutionResult: { output: text } }]),
      ask([{ inlineData: { mimeType: "text/plain", data: Buffer.from(text).toString("base64") } }]),
      ask([], { tools: [{ functionDeclarations: [{ name: "f", description: text }] }] }),
      ask([], { generationConfig: { responseSchema: { description: text } } }),
      ask([], { generationConfig: { responseJsonSchema: { description: text } } }),
    ];
    for (const body of bodies) expect(read(body).textBytes, JSON.stringify(body)).toBeGreaterThanOrEqual(least);
  });

  it("tells the same work from another by its last turn, its instruction and its tools", () => {
    const first = read(ask([{ text: "one" }], { systemInstruction: { parts: [{ text: "be kind" }] }, tools: [{}] }));
    expect(first).toMatchObject({ system: "be kind", lastMessage: "user\none", tools: "[{}]" });
    const turns = { contents: [...ask([{ text: "one" }]).contents, { role: "model", parts: [{ text: "two" }] }] };
    expect(read(turns).lastMessage).toBe("model\ntwo");
  });

  it("asks for a tier", () => {
    expect(read(ask([], { serviceTier: "SERVICE_TIER_PRIORITY" })).terms.tier).toBe("priority");
    expect(read(ask([], { service_tier: "flex" })).terms.tier).toBe("flex");
  });

  it("may be of any form", () => {
    for (const body of [null, [], 7, { contents: 7 }, { contents: [null, { parts: [null, 7] }], tools: [null] }]) {
      expect(read(body)).toMatchObject({ model: "gemini-2.5-flash", maxTokens: null, choices: 1 });
    }
    expect(read({ contents: "hi" }).lastMessage).toContain("hi");
  });

  it("holds texts to embed, one or many", () => {
    const path = "/v1beta/models/gemini-embedding-001:batchEmbedContents";
    const requests = ["one", "two"].map((text) => ({ model: "models/x", content: { parts: [{ text }] } }));
    const many = read({ requests }, path, "embeddings");
    expect(many).toMatchObject({
      model: "gemini-embedding-001",
      textBytes: 6,
      lastMessage: "one\ntwo",
      maxTokens: null,
    });
    expect(read({ content: { parts: [{ text: "one" }] } }, path, "embeddings").textBytes).toBe(3);
  });

  it("holds an interaction's turns, texts and pictures", () => {
    const body = {
      model: "gemini-2.5-flash",
      stream: true,
      system_instruction: "be kind",
      input: [
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image", mime_type: "image/png", data: png(300, 300) },
          ],
        },
        { type: "function_call", id: "c1", name: "f", arguments: { city: "Bergen" } },
      ],
      generation_config: { max_output_tokens: 70 },
    };
    const facts = read(body, "/v1beta/interactions", "responses");
    expect(facts).toMatchObject({
      model: "gemini-2.5-flash",
      stream: true,
      maxTokens: 70,
      mediaTokens: 258,
      system: "be kind",
    });
    expect(facts.lastMessage).toBe("f\nBergen");
    expect(facts.textBytes).toBeGreaterThanOrEqual("be kindlookfBergen".length);
  });
});

describe("what a request holds beside text", () => {
  const media = (mimeType: string, data: string, model = "gemini-2.5-flash") =>
    read(ask([{ inlineData: { mimeType, data } }]), `/v1beta/models/${model}:generateContent`);

  it.each([
    [300, 384, 1],
    // Cut into tiles, it is also looked at whole.
    [385, 200, 3],
    [960, 540, 7],
    [3_072, 3_072, 17],
    [12_000, 12_000, 17],
  ])("a picture of %i x %i counts %i tiles with the older models", (width, height, tiles) => {
    expect(media("image/png", png(width, height)).mediaTokens).toBe(258 * tiles);
  });

  it("a picture counts the same whatever its size with the newer models", () => {
    expect(media("image/png", png(64, 64), "gemini-3-flash-preview").mediaTokens).toBe(1_120);
    expect(media("image/png", png(4_000, 4_000), "gemini-3-flash-preview").mediaTokens).toBe(1_120);
  });

  it("a sound counts 32 tokens a second, by what its head says or by its length", () => {
    expect(media("audio/wav", wave(10, 32_000)).audioTokens).toBe(321);
    expect(media("audio/mp3", Buffer.alloc(79_998).toString("base64")).audioTokens).toBe(320);
  });

  it("a film counts its frames and its sound", () => {
    expect(media("video/mp4", Buffer.alloc(319_998).toString("base64")).mediaTokens).toBe(3_000);
  });

  it("a document counts its pages", () => {
    expect(media("application/pdf", Buffer.alloc(90_000).toString("base64")).mediaTokens).toBe(2_240);
  });

  it.each(["image/png", "video/mp4", "application/pdf", ""])(
    "a file of type %s behind an address counts something",
    (mimeType) => {
      expect(read(ask([{ fileData: { mimeType, fileUri: "https://files.example/1" } }])).mediaTokens).toBeGreaterThan(
        250,
      );
    },
  );
});

describe("another model", () => {
  it("can be asked where the body names it", () => {
    expect(google.route("responses", "/v1beta/interactions", { model: "a" }, "b").kind).toBe("edits");
    expect(google.route("chat", "/v1beta/openai/chat/completions", { model: "a" }, "b").kind).toBe("edits");
    expect(vertex.route("chat", "/v1/p/endpoints/openapi/chat/completions", { model: "a" }, "b").kind).toBe("edits");
  });

  const LITE = "gemini-2.5-flash-lite";
  const to = (path: string) => ({ kind: "edits", edits: [], path });

  it("is written into the address where that names it", () => {
    expect(google.route("generate", `${PATH}?key=k:1/2`, ask([]), LITE)).toEqual(
      to("/v1beta/models/gemini-2.5-flash-lite:generateContent?key=k:1/2"),
    );
    const claude = "/v1/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict";
    expect(vertex.route("messages", claude, {}, "claude-haiku-4-5@20251001")).toEqual(
      to("/v1/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict"),
    );
    expect(vertex.route("generate", "/v1/publishers/google/models/gemini-2.5-pro:generateContent", {}, LITE)).toEqual(
      to(`/v1/publishers/google/models/${LITE}:generateContent`),
    );
  });

  it("is written into the body as well where an embedding names it twice", () => {
    const path = "/v1beta/models/gemini-embedding-2:embedContent";
    expect(google.route("embeddings", path, { model: "models/gemini-embedding-2" }, "gemini-embedding-001")).toEqual({
      kind: "edits",
      edits: [{ path: ["model"], value: "models/gemini-embedding-001", insert: false }],
      path: "/v1beta/models/gemini-embedding-001:embedContent",
    });
  });

  it.each([
    ["generate", "/v1beta/tunedModels/mine:generateContent", {}, LITE],
    ["generate", PATH, {}, "claude-sonnet-4-5"],
    ["generate", PATH, {}, "gemini/../x"],
    ["embeddings", "/v1beta/models/e:batchEmbedContents", { requests: [] }, "gemini-embedding-001"],
    ["images", "/v1beta/models/imagen-4.0-generate-001:predict", {}, "imagen-3"],
    ["chat", "/v1/publishers/mistralai/models/m:rawPredict", { model: "m" }, LITE],
    ["messages", "/v1/publishers/anthropic/models/claude-sonnet-4-5:rawPredict", {}, LITE],
    ["embeddings", "/v1/publishers/google/models/text-embedding-005:predict", {}, "gemini-embedding-001"],
  ] as const)("cannot be asked otherwise: %s %s", (operation, path, body, model) => {
    const provider = path.includes("/publishers/") ? vertex : google;
    expect(provider.route(operation, path, body, model).kind).toBe("impossible");
  });
});

describe("a limit", () => {
  it("is written in the dialect of the endpoint", () => {
    expect(google.cap("responses", {}, 9)).toMatchObject({
      edits: [{ path: ["generation_config", "max_output_tokens"] }],
    });
    expect(google.cap("chat", {}, 9)).toMatchObject({ edits: [{ path: ["max_completion_tokens"] }] });
    expect(vertex.cap("messages", { max_tokens: 50 }, 9)).toMatchObject({
      edits: [{ path: ["max_tokens"], value: 9 }],
    });
    expect(google.cap("embeddings", {}, 9).kind).toBe("impossible");
  });
});
