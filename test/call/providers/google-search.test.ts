import { describe, expect, it } from "vitest";
import { events, exchanged, mtok } from "./exchanged.ts";

const at = (model: string): string =>
  `https://generativelanguage.googleapis.com/v1beta/models/${model}:generateContent`;

/** The bill of an answer whose candidate says this of where it looked. */
async function found(model: string, candidate: object) {
  const response = {
    candidates: [{ content: { role: "model", parts: [{ text: "High." }] }, finishReason: "STOP", ...candidate }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
    modelVersion: model,
  };
  const request = { contents: [{ parts: [{ text: "tides?" }] }], tools: [{ urlContext: {} }] };
  return (await exchanged({ url: at(model), request, response })).bill.cost.tools;
}

const web = { web: { uri: "https://tides.example", title: "Tides" } };
const maps = { maps: { uri: "https://maps.example/1", title: "Quay", placeId: "places/1" } };
const urlContextMetadata = { urlMetadata: [{ retrievedUrl: "https://tides.example" }] };
const DOLLAR = 1e9;

describe("what a Gemini answer rests on", () => {
  it.each(["gemini-2.5-flash", "gemini-3.5-flash"])(
    "costs nothing where %s only read pages that it was told",
    async (model) => {
      expect(await found(model, { groundingMetadata: { groundingChunks: [web] }, urlContextMetadata })).toBe(0);
    },
  );

  it.each([
    ["gemini-2.5-flash", 0.035],
    ["gemini-3.5-flash", 0.028],
  ])("costs its searches where %s searched as well", async (model, usd) => {
    const groundingMetadata = { groundingChunks: [web], webSearchQueries: ["tide table", "tide today"] };
    expect(await found(model, { groundingMetadata, urlContextMetadata })).toBe(Math.round(usd * DOLLAR));
    const entry = { groundingChunks: [web], searchEntryPoint: { renderedContent: "<div/>" } };
    const once = model === "gemini-2.5-flash" ? 0.035 : 0.014;
    expect(await found(model, { groundingMetadata: entry, urlContextMetadata })).toBe(Math.round(once * DOLLAR));
  });

  it.each([
    ["gemini-2.5-flash", 0.025],
    ["gemini-3.5-flash", 0.014],
  ])("costs %s a look at the map, which is not one at the web", async (model, usd) => {
    expect(await found(model, { groundingMetadata: { groundingChunks: [maps, maps] } })).toBe(Math.round(usd * DOLLAR));
  });

  it("costs each query that says something, once", async () => {
    const groundingMetadata = { webSearchQueries: ["", "tide table", "tide table", "tide today"] };
    expect(await found("gemini-3.5-flash", { groundingMetadata })).toBe(28_000_000);
  });

  it("costs nothing in files of one's own", async () => {
    const chunk = { retrievedContext: { title: "log.txt", text: "High tide at 4." } };
    expect(await found("gemini-2.5-flash", { groundingMetadata: { groundingChunks: [chunk] } })).toBe(0);
  });
});

describe("what an interaction looked up", () => {
  const url = "https://generativelanguage.googleapis.com/v1beta/interactions";
  const tokens = { total_input_tokens: 10, total_output_tokens: 2, total_tokens: 12 };
  const step = { type: "google_search_call", id: "s1", arguments: { queries: ["tide table", "tide today"] } };
  const map = { type: "google_maps_call", id: "m1", arguments: { queries: ["quay"] } };

  /** The bill of tools, whole and streamed, where only the steps or only the usage tells. */
  async function lookedUp(model: string, called: object, type: string, count: number) {
    const request = { model, input: "tides?", tools: [{ type }] };
    const usage = { ...tokens, grounding_tool_count: [{ type, count }] };
    const ask = async (response: unknown) => (await exchanged({ url, request, response })).bill.cost.tools;
    const done = { id: "i1", model, status: "completed" };
    const begun = { event_type: "interaction.created", interaction: { id: "i1", model, status: "in_progress" } };
    const started = { event_type: "step.start", index: 0, step: called };
    const grown = { event_type: "step.delta", index: 0, delta: called };
    const ended = (told: object) => ({ event_type: "interaction.completed", interaction: { ...done, usage: told } });
    return [
      await ask({ ...done, steps: [called], usage: tokens }),
      await ask({ ...done, usage }),
      await ask(events([begun, started, ended(tokens)])),
      await ask(events([begun, grown, ended(tokens)])),
      await ask(events([begun, ended(usage)])),
      await ask(events([begun, started, ended(usage)])),
    ];
  }

  it.each([
    ["gemini-3.5-flash", "google_search", step, 2, 28_000_000],
    ["gemini-2.5-flash", "google_search", step, 2, 35_000_000],
    ["gemini-3.5-flash", "google_maps", map, 1, 14_000_000],
    ["gemini-2.5-flash", "google_maps", map, 1, 25_000_000],
  ])(
    "costs %s by %s the same, told by its steps or its usage, whole or streamed",
    async (model, type, called, n, nano) => {
      expect(await lookedUp(model, called, type, n)).toEqual(Array(6).fill(nano));
    },
  );
});

describe("a Gemini answer whose names are numbers", () => {
  it("counts sound and pictures as such, and has ended", async () => {
    const response = {
      candidates: [{ content: { parts: [{ text: "A gull." }] }, finishReason: 1 }],
      usageMetadata: {
        promptTokenCount: 300,
        candidatesTokenCount: 5,
        totalTokenCount: 305,
        trafficType: 1,
        promptTokensDetails: [
          { modality: 1, tokenCount: 100 },
          { modality: 4, tokenCount: 200 },
        ],
      },
      modelVersion: "gemini-2.5-flash",
    };
    const url = `${at("gemini-2.5-flash")}?$alt=json;enum-encoding=int`;
    const { bill } = await exchanged({ url, request: { contents: [{ parts: [{ text: "hm?" }] }] }, response });
    expect(bill).toMatchObject({ source: "local", finishReasons: ["1"], usage: { inputAudioTokens: 200 } });
    expect(bill.cost.input).toBe(mtok(100, 0.3) + mtok(200, 1));
  });
});

describe("a stream of Gemini's", () => {
  it("whose last answer leaves out what an earlier one counted is charged that too", async () => {
    const part = (usageMetadata: object, more: object = {}) => ({
      candidates: [{ content: { parts: [{ text: "High." }] }, ...more }],
      usageMetadata,
      modelVersion: "gemini-2.5-flash",
    });
    const response = events([
      part({ promptTokenCount: 9, candidatesTokenCount: 20, thoughtsTokenCount: 30, totalTokenCount: 59 }),
      part({ promptTokenCount: 80, thoughtsTokenCount: 30, totalTokenCount: 110 }, { finishReason: "STOP" }),
    ]);
    const request = { contents: [{ parts: [{ text: "tides?" }] }] };
    const url = at("gemini-2.5-flash").replace("generateContent", "streamGenerateContent?alt=sse");
    const { bill } = await exchanged({ url, request, response });
    expect(bill.usage).toMatchObject({ inputTokens: 80, outputTokens: 50, reasoningTokens: 30 });
  });
});

describe("a prompt that Gemini turned away", () => {
  it("costs its input at most where nothing is counted", async () => {
    const response = { promptFeedback: { blockReason: "MODEL_ARMOR" }, usageMetadata: { trafficType: "ON_DEMAND" } };
    const request = { contents: [{ parts: [{ text: "Ignore the harbour master." }] }] };
    const { call, bill } = await exchanged({ url: at("gemini-2.5-flash"), request, response });
    expect(call.cost.output).toBeGreaterThan(0);
    expect(bill).toMatchObject({ source: "estimate", finishReasons: ["MODEL_ARMOR"] });
    expect(bill.cost).toMatchObject({ input: call.cost.input, output: 0, total: call.cost.input });
  });
});
