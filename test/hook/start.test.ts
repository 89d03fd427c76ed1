import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { FieldSearch } from "../../src/hook/multipart.ts";
import { loopback } from "../support/loopback.ts";
import { type Client, clients } from "./clients.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";
import { connected, follow, streamServer } from "./streams.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

const part = (name: string, value: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const FILE = `${part("file", "x".repeat(3000))}`;
const MODEL = part("model", "whisper-1");
const TAIL = `${part("language", "en")}--b--\r\n`;
const FORM = { "content-type": "multipart/form-data; boundary=b" };
const LIMITS = { bodyBytes: 8192, bodyMs: 3000 };

const named = (name: string): Client => {
  const found = clients.find((client) => client.name === name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
};

const senders = ["fetch", "undici 5 request", "undici 6 request", "undici 7 request", "http.request", "axios", "got"];

interface Sent {
  readonly departure: FakeGatekeeper["departures"][number];
  readonly received: string;
}

async function send(name: string, headers: Record<string, string>, pieces: readonly string[]): Promise<Sent> {
  const gatekeeper = new FakeGatekeeper();
  installed.push(install(gatekeeper, LIMITS));
  const buffers = pieces.map((piece) => Buffer.from(piece));
  let received = "";
  if (name === "http2") {
    await using server = await streamServer();
    gatekeeper.ports.add(server.port);
    const session = await connected(server.url);
    const stream = session.request({ ":method": "POST", ":path": "/v1/audio", ...headers });
    const story = follow(stream);
    Readable.from(buffers).pipe(stream);
    await story;
    received = String(server.hits[0]?.body);
    session.destroy();
  } else {
    await using server = await loopback();
    gatekeeper.ports.add(server.port);
    const session = named(name).open(server.url, "");
    await session.send({ url: `${server.url}/v1/audio`, method: "POST", headers, pieces: buffers });
    received = String(server.hits[0]?.body);
    await session.close();
  }
  const [departure] = gatekeeper.departures;
  if (departure === undefined) throw new Error("nobody was asked");
  return { departure, received };
}

describe.each([...senders, "http2"])("%s", (name) => {
  it("tells of a form what came of it up to its model, and sends it whole", async () => {
    for (const pieces of [
      [FILE, MODEL, TAIL],
      [MODEL, FILE, TAIL],
      [FILE, MODEL.slice(0, 44), MODEL.slice(44), TAIL],
    ]) {
      const { departure, received } = await send(name, FORM, pieces);
      expect(departure.body).toBeNull();
      expect(String(departure.bodyStart)).toContain(MODEL);
      // The client's own pieces may be larger.
      if (name !== "http2" && pieces.at(-1) === TAIL)
        expect.soft(String(departure.bodyStart), name).not.toContain(TAIL);
      expect(received).toBe(pieces.join(""));
      for (const { dispose } of installed.splice(0)) dispose();
    }
  });

  it("tells no more than the limit of what is larger", async () => {
    const json = Array.from({ length: 12 }, (_, at) => String(at % 10).repeat(1000));
    const { departure, received } = await send(name, { "content-type": "application/json" }, json);
    expect(departure.body).toBeNull();
    expect(String(departure.bodyStart)).toBe(json.join("").slice(0, 8192));
    expect(received).toBe(json.join(""));
  });

  it("has no start of what was seen whole", async () => {
    const { departure } = await send(name, { "content-type": "application/json" }, ["{", "}"]);
    expect([String(departure.body), "bodyStart" in departure]).toEqual(["{}", false]);
  });
});

describe("FormData", () => {
  it("is read by its fields where a client writes it out itself", async () => {
    const gatekeeper = new FakeGatekeeper();
    installed.push(install(gatekeeper, LIMITS));
    await using server = await loopback();
    gatekeeper.ports.add(server.port);
    const undici = await import("undici7");
    // Each copy writes out only forms of its own; and undici 8, where it was loaded, is everybody's dispatcher.
    const dispatcher = new undici.Agent();
    const fill = <Form extends FormData | InstanceType<typeof undici.FormData>>(form: Form): Form => {
      form.append("file", new Blob(["sound"]), "a.wav");
      form.append("model", "whisper-1");
      return form;
    };
    await fetch(server.url, { method: "POST", body: fill(new FormData()) });
    await undici.request(server.url, { method: "POST", body: fill(new undici.FormData()), dispatcher });
    await dispatcher.close();
    for (const { body, bodyStart } of gatekeeper.departures) {
      expect(body).toBeNull();
      expect(String(bodyStart)).toMatch(/name="model"\r\n\r\nwhisper-1\r\n/);
    }
    expect(gatekeeper.departures).toHaveLength(2);
  });
});

describe("the search for a field", () => {
  it("finds it wherever the pieces are cut", () => {
    const text = FILE + MODEL + TAIL;
    const end = FILE.length + MODEL.length;
    for (let size = 1; size < 60; size += 1) {
      const search = new FieldSearch("model");
      let at = 0;
      while (!search.feed(Buffer.from(text.slice(at, at + size)))) {
        at += size;
        if (at > text.length) throw new Error(`not found in pieces of ${size}`);
      }
      expect(at + size, `pieces of ${size}`).toBeGreaterThanOrEqual(end);
      expect(at, `pieces of ${size}`).toBeLessThan(end);
    }
  });

  it("gives up on a field that does not end", () => {
    const search = new FieldSearch("model");
    expect(search.feed(Buffer.from('name="model"'))).toBe(false);
    expect(search.feed(Buffer.alloc(4000, "x"))).toBe(true);
  });
});
