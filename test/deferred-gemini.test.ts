import { afterEach, describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import { recogniser } from "../src/call/recognise.ts";
import { decide, endWorlds, spent, type World, world } from "./support/a-guard.ts";

afterEach(endWorlds);

const recognise = recogniser({ hosts: new Map() });
const aWorld = (): World => world("tenant.daily > $100 -> deny\n", {}, { recognise });
const cost = (one: World) => spent(one, "tenant.cost.daily");

const hostname = "generativelanguage.googleapis.com";
const MODEL = "/v1beta/models/gemini-2.5-flash";
const NAME = "batches/tide7";

async function exchange(one: World, method: string, path: string, sent: object | null, answer: object | string) {
  const body = Buffer.from(sent === null ? "" : JSON.stringify(sent));
  const passage = await withBudget({ tenant: "acme" }, () =>
    decide(one, { hostname, method, path, headers: {}, body }),
  );
  if (passage.kind !== "go") throw new Error(`${method} ${path} was refused`);
  await passage.run(async () => {
    passage.tap.head(200, { "content-type": "application/json" });
    passage.tap.chunk(Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)));
    passage.tap.end();
  });
  await one.guard.settled();
}

const usageMetadata = { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 };
const answered = { candidates: [{ finishReason: "STOP" }], usageMetadata, modelVersion: "gemini-2.5-flash" };
/** One answer at half the price. */
const each = (1_000 * 300 + 100 * 2_500) / 2 / 1e9;

/** A batch as the API tells of it: a name, a state and, at its end, where its answers are. */
const state = (name: string, output?: object) => ({
  name: NAME,
  metadata: { name: NAME, model: "models/gemini-2.5-flash", state: `BATCH_STATE_${name}`, ...(output && { output }) },
  ...(output && { done: true, response: output }),
});

describe("a batch of Gemini's that is made of a file which nobody saw", () => {
  const begin = (one: World) => {
    const sent = { batch: { display_name: "tides", input_config: { file_name: "files/tides" } } };
    return exchange(one, "POST", `${MODEL}:batchGenerateContent`, sent, state("PENDING"));
  };
  const fetch = (one: World) =>
    exchange(one, "GET", `/v1beta/${NAME}`, null, state("SUCCEEDED", { responsesFile: "files/batch-tide7" }));
  const lines = ["a", "b", "c"].map((key) => JSON.stringify({ key, response: answered })).join("\n");
  const download = (one: World, file = "batch-tide7") =>
    exchange(one, "GET", `/download/v1beta/files/${file}:download?alt=media`, null, `${lines}\n`);

  it("is charged by the file of its results, once, as its end names it", async () => {
    const one = aWorld();
    await begin(one);
    expect(one.decided[0]?.call).toMatchObject({
      spending: "unmetered",
      note: expect.stringContaining("not uploaded"),
    });
    await fetch(one);
    expect(await cost(one)).toEqual([0, 0]);
    await download(one);
    await download(one);
    expect(await cost(one)).toEqual([3 * each, 0]);
  });

  it("is charged by that file too where nobody asked before how it fared", async () => {
    const one = aWorld();
    await begin(one);
    await download(one);
    expect(await cost(one)).toEqual([3 * each, 0]);
    await fetch(one);
    await download(one);
    expect(await cost(one)).toEqual([3 * each, 0]);
  });

  it("is not charged by the file of another", async () => {
    const one = aWorld();
    await begin(one);
    await download(one, "batch-ebb1");
    await download(one, "tide7");
    expect(await cost(one)).toEqual([0, 0]);
  });
});

describe("a batch of Gemini's that brings its requests with it", () => {
  const request = {
    contents: [{ parts: [{ text: "When is high tide?" }] }],
    generationConfig: { maxOutputTokens: 200 },
  };
  const sent = { batch: { input_config: { requests: { requests: [{ request }, { request }] } } } };
  const begin = (one: World) => exchange(one, "POST", `${MODEL}:batchGenerateContent`, sent, state("RUNNING"));

  it("is held at half its price, and charged by the answers that come with its end", async () => {
    const one = aWorld();
    await begin(one);
    const [charged, held] = await cost(one);
    expect(charged).toBe(0);
    expect(held).toBeGreaterThan((2 * 200 * 2_500) / 2 / 1e9);
    const failed = { error: { code: 3, message: "no tide there" } };
    const output = { inlinedResponses: { inlinedResponses: [{ response: answered }, failed, { response: answered }] } };
    await exchange(one, "GET", `/v1beta/${NAME}`, null, state("SUCCEEDED", output));
    await exchange(one, "GET", `/v1beta/${NAME}`, null, state("SUCCEEDED", output));
    expect(await cost(one)).toEqual([2 * each, 0]);
  });

  it("costs nothing where it failed", async () => {
    const one = aWorld();
    await begin(one);
    await exchange(one, "GET", `/v1beta/${NAME}`, null, state("FAILED"));
    expect(await cost(one)).toEqual([0, 0]);
  });
});
