import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Project, project } from "../support/run-app.ts";

const MB = 1024 * 1024;
const SIZE = 200 * MB;

/** Uploads a form of 200 MB, its model before or after its file, or bare bytes, and tells by how much the process grew. */
const APP = `
import { openAsBlob, createReadStream } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { Readable } from "node:stream";
import { request } from "undici7";
const [way, origin, order] = process.argv.slice(2);
const boundary = "----form";
const plain = order === "no form";
const headers = { "content-type": plain ? "application/octet-stream" : "multipart/form-data; boundary=" + boundary };
const part = (name, more = "") => "--" + boundary + '\\r\\nContent-Disposition: form-data; name="' + name + '"' + more + "\\r\\n\\r\\n";
async function* form() {
  if (plain) return yield* createReadStream("large.bin", { highWaterMark: 256 * 1024 });
  if (order === "model first") yield Buffer.from(part("model") + "whisper-1\\r\\n");
  yield Buffer.from(part("file", '; filename="a.wav"\\r\\nContent-Type: audio/wav'));
  yield* createReadStream("large.bin", { highWaterMark: 256 * 1024 });
  if (order !== "model first") yield Buffer.from("\\r\\n" + part("model") + "whisper-1");
  yield Buffer.from("\\r\\n--" + boundary + "--\\r\\n");
}
const read = async (stream) => { let text = ""; for await (const piece of stream) text += piece; return text; };
const url = origin + "/v1/audio/transcriptions";
const ways = {
  fetch: async () =>
    (await fetch(url, { method: "POST", headers, body: Readable.toWeb(Readable.from(form())), duplex: "half" })).text(),
  async "fetch of a FormData"() {
    const data = new FormData();
    if (order === "model first") data.append("model", "whisper-1");
    data.append("file", await openAsBlob("large.bin"), "a.wav");
    if (order !== "model first") data.append("model", "whisper-1");
    return (await fetch(url, { method: "POST", body: data })).text();
  },
  async "undici.request"() {
    return read((await request(url, { method: "POST", headers, body: Readable.from(form()) })).body);
  },
  "http.request": () => new Promise((resolve, reject) => {
    const req = http.request(url, { method: "POST" }, (response) => resolve(read(response)));
    for (const [name, value] of Object.entries(headers)) req.setHeader(name, value);
    Readable.from(form()).on("error", reject).pipe(req).on("error", reject);
  }),
  http2: () => new Promise((resolve, reject) => {
    const session = http2.connect(origin);
    const stream = session.request({ ":method": "POST", ":path": "/v1/audio/transcriptions", ...headers });
    Readable.from(form()).on("error", reject).pipe(stream).on("error", reject);
    resolve(read(stream).finally(() => session.close()));
  }),
};
await fetch(origin + "/warm").catch(() => {});
let most = 0;
const begin = process.memoryUsage().rss;
const timer = setInterval(() => { most = Math.max(most, process.memoryUsage().rss); }, 5);
const answer = await ways[way]();
clearInterval(timer);
console.log(JSON.stringify({ ...JSON.parse(answer), grown: Math.max(0, most - begin) }));
`;

describe("a body of 200 MB", () => {
  let app: Project;
  const servers: { close(): unknown }[] = [];
  const urls = new Map<string, string>();

  const digest = async (body: Readable): Promise<string> => {
    const hash = createHash("sha256");
    let length = 0;
    for await (const piece of body) {
      length += piece.length;
      hash.update(piece);
    }
    return JSON.stringify({ length, sha256: hash.digest("hex") });
  };

  beforeAll(async () => {
    const server = createServer((request, response) => void digest(request).then((text) => response.end(text)));
    const streams = http2.createServer((request, response) => void digest(request).then((text) => response.end(text)));
    for (const one of [server, streams]) {
      one.listen(0, "127.0.0.1");
      await once(one, "listening");
      servers.push(one);
    }
    const origin = (one: typeof server | typeof streams): string => `127.0.0.1:${(one.address() as AddressInfo).port}`;
    urls.set("http", origin(server)).set("http2", origin(streams));
    app = project({
      policy: "run.calls > 100 -> deny\n",
      files: { "app.mjs": APP },
      env: { BUDGET_GUARD_LOG: "error", BUDGET_GUARD_HOSTS: [...urls.values()].map((at) => `${at}=openai`).join(",") },
    });
    const { truncateSync, writeFileSync } = await import("node:fs");
    writeFileSync(`${app.folder}/large.bin`, "RIFF");
    truncateSync(`${app.folder}/large.bin`, SIZE);
  });
  afterAll(() => {
    for (const server of servers) server.close();
    app.remove();
  });

  const ways = ["fetch", "fetch of a FormData", "undici.request", "http.request", "http2"];
  const orders = (way: string): string[] => [
    ...["model first", "file first"],
    ...(way === "fetch of a FormData" ? [] : ["no form"]),
  ];
  it.each(ways.flatMap((way) => orders(way).map((order) => ({ way, order }))))(
    "passes $way in bounded memory, $order",
    async ({ way, order }) => {
      const origin = `http://${urls.get(way === "http2" ? "http2" : "http")}`;
      const upload = async (flags: readonly string[]) => {
        const end = await app.run({ flags, args: [way, origin, order] });
        expect([end.code, end.stderr]).toEqual([0, ""]);
        return end.json<{ readonly length: number; readonly sha256: string; readonly grown: number }>();
      };
      const guarded = await upload(["--require", "budget-guard/register"]);
      expect(guarded.length).toBeGreaterThanOrEqual(SIZE);
      const bare = await upload([]);
      expect(guarded.length).toBe(bare.length);
      // Each FormData has a boundary of its own; Node's fetch holds the whole file of one by itself.
      if (way !== "fetch of a FormData") expect(guarded.sha256).toBe(bare.sha256);
      // At most 8 MiB are held for the decision, copied as they come and joined once; the rest is the noise of a young heap.
      expect((guarded.grown - bare.grown) / MB).toBeLessThan(64);
    },
    60_000,
  );
});
