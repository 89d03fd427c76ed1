import { afterEach, beforeEach, expect, it } from "vitest";
import { askingProject, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

/** What the real client asks for, one run each, and prints what came of it. */
const APP = `
import OpenAI, { toFile } from "openai";
import { withBudget } from "budget-guard";
const client = new OpenAI({ apiKey: "k", baseURL: process.argv[2] + "/v1", maxRetries: 0 });
const recording = Buffer.alloc(Number(process.argv[3] ?? 160_000), 7);
const tasks = {
  picture: () => client.images.generate({ model: "dall-e-3", prompt: "a cat", quality: "hd", size: "1024x1792" }),
  tokens: () => client.images.generate({ model: "gpt-image-1", prompt: "a cat" }),
  edit: async () => client.images.edit({ model: "gpt-image-1", prompt: "a hat", image: await toFile(recording, "a.png") }),
  speech: async () => (await (await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hello" })).arrayBuffer()).byteLength,
  heard: async () => client.audio.transcriptions.create({ model: "whisper-1", file: await toFile(recording, "a.mp3") }),
  spoken: async () => client.audio.transcriptions.create({ model: "gpt-4o-transcribe", file: await toFile(recording, "a.mp3") }),
  checked: () => client.moderations.create({ input: "hello" }),
  container: () => client.containers.create({ name: "c" }),
};
const results = {};
void (async () => {
  for (const [run, task] of Object.entries(tasks)) {
    results[run] = await withBudget({ run }, task).catch((error) => ({ refused: error.status, message: error.message }));
  }
  console.log(JSON.stringify(results));
})();
`;

const pictureUsage = {
  input_tokens: 10,
  output_tokens: 1_056,
  input_tokens_details: { text_tokens: 10, image_tokens: 0 },
};

const answers: Readonly<Record<string, (body: string) => unknown>> = {
  "/v1/images/generations": (body) =>
    body.includes("dall-e-3")
      ? { created: 1, data: [{ url: "https://pictures.example/1" }] }
      : { created: 1, data: [{ b64_json: "AAAA" }], usage: pictureUsage },
  "/v1/images/edits": () => ({ created: 1, data: [{ b64_json: "AAAA" }], usage: pictureUsage }),
  "/v1/audio/transcriptions": (body) =>
    body.includes("whisper-1")
      ? { text: "hello", usage: { type: "duration", seconds: 12 } }
      : {
          text: "hello",
          usage: {
            type: "tokens",
            input_tokens: 120,
            input_token_details: { text_tokens: 0, audio_tokens: 120 },
            output_tokens: 5,
            total_tokens: 125,
          },
        },
  "/v1/moderations": () => ({ id: "m", model: "omni-moderation-latest", results: [] }),
  "/v1/containers": () => ({ id: "cntr_1", object: "container", name: "c" }),
};

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({
    raw(request, response) {
      if (request.path === "/v1/audio/speech") {
        response.writeHead(200, { "content-type": "audio/mpeg" });
        response.end(Buffer.alloc(4_096, 0xff));
        return;
      }
      const answer = answers[request.path]?.(request.body.toString("latin1"));
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? {}));
    },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

it("a real client's pictures, speech and recordings are charged as their provider bills them", async () => {
  project = askingProject(provider, {
    policy: "run.cost > $5 -> deny\nrun.calls > 100 -> deny\n",
    files: { "app.mjs": APP },
  });
  const end = await project.run({ args: [provider.url] });
  expect(end.code, end.stderr).toBe(0);
  const results = end.json<Record<string, { refused?: number; text?: string }>>();
  expect(Object.values(results).filter((result) => result.refused !== undefined)).toEqual([]);
  expect(results).toMatchObject({ heard: { text: "hello" }, speech: 4_096 });
  const found = await status(project);
  const spent = (run: string) => meterOf(found, "run.cost", { run });
  const picture = (10 * 5_000 + 1_056 * 40_000) / 1e9;
  expect(spent("picture")).toEqual({ spent: 0.12, held: 0 });
  expect(spent("tokens")).toEqual({ spent: picture, held: 0 });
  expect(spent("edit")).toEqual({ spent: picture, held: 0 });
  expect(spent("speech")).toEqual({ spent: 0.000_075, held: 0 });
  expect(spent("heard")).toEqual({ spent: 0.001_2, held: 0 });
  expect(spent("spoken")).toEqual({ spent: (120 * 6_000 + 5 * 10_000) / 1e9, held: 0 });
  expect(spent("container")).toEqual({ spent: 0.03, held: 0 });
  expect(found.meters.filter(({ scope }) => scope.run === "checked")).toEqual([]);
  // What was handed in arrived whole.
  const upload = provider.requests.find(({ path }) => path === "/v1/audio/transcriptions");
  expect(upload?.body.indexOf(Buffer.alloc(160_000, 7))).toBeGreaterThan(0);
});

it("a picture that does not fit is refused before it is asked for, at its own price (litellm PR #40002)", async () => {
  project = askingProject(provider, { policy: "run.cost > $0.10 -> deny\n", files: { "app.mjs": APP } });
  const end = await project.run({ args: [provider.url] });
  expect(end.code, end.stderr).toBe(0);
  const results = end.json<Record<string, { refused?: number; message?: string }>>();
  expect(results.picture).toMatchObject({ refused: 402, message: expect.stringContaining("$0.10") });
  expect(results.tokens).toMatchObject({ refused: 402 });
  expect(results.heard).toMatchObject({ text: "hello" });
  expect(provider.requests.some(({ path }) => path.startsWith("/v1/images"))).toBe(false);
});

it("a recording larger than what is looked at passes whole, and is held by its length", async () => {
  project = askingProject(provider, { policy: "run.cost > $5 -> deny\n", files: { "app.mjs": APP } });
  const bytes = 20_000_000;
  const end = await project.run({ args: [provider.url, String(bytes)] });
  expect(end.code, end.stderr).toBe(0);
  expect(end.json()).toMatchObject({ heard: { text: "hello" }, spoken: { text: "hello" } });
  expect(meterOf(await status(project), "run.cost", { run: "heard" })).toEqual({ spent: 0.0012, held: 0 });
  const upload = provider.requests.find(({ path }) => path === "/v1/audio/transcriptions");
  expect(upload?.body.length).toBeGreaterThan(bytes);
});
