import type http2 from "node:http2";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import axios from "axios";
import got from "got";
import { afterEach, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { refusalAnswer } from "../../src/hook/refusal.ts";
import { selfSigned } from "../support/certificate.ts";
import { undicis } from "./clients.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";
import { type StreamServer, streamServer } from "./streams.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

function guard(server: StreamServer): FakeGatekeeper {
  const gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  installed.push(install(gatekeeper));
  return gatekeeper;
}

const detail = { rule: "r", scope: {}, metric: "cost", unit: "USD", spent: 1, held: 0, estimate: 1, limit: 1 };
const refuse = () => ({
  kind: "refuse" as const,
  answer: refusalAnswer("tenant 50% spent", { ...detail, resets_at: null } as never),
});
const MESSAGE = "budget-guard refused this call: tenant 50% spent";

describe("the Bedrock SDK", () => {
  const open = ({ port }: StreamServer): BedrockRuntimeClient =>
    new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: `http://localhost:${port}`,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  const command = (): ConverseCommand =>
    new ConverseCommand({ modelId: "amazon.nova-lite-v1:0", messages: [{ role: "user", content: [{ text: "hi" }] }] });
  const respond = (stream: http2.ServerHttp2Stream): void => {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(JSON.stringify({ usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 }, stopReason: "end_turn" }));
  };

  it("is held and let go over HTTP/2, call after call", async () => {
    await using server = await streamServer({ respond });
    const gatekeeper = guard(server);
    const client = open(server);
    for (const _ of [1, 2, 3]) expect((await client.send(command())).usage?.totalTokens).toBe(7);
    expect(gatekeeper.departures.map(({ transport, body }) => [transport, String(body).includes("hi")])).toEqual([
      ["http2", true],
      ["http2", true],
      ["http2", true],
    ]);
    const told = await gatekeeper.ended(3);
    expect(told.map(({ status, ends, bytes }) => [status, ends, String(bytes).includes("inputTokens")])).toEqual([
      [200, 1, true],
      [200, 1, true],
      [200, 1, true],
    ]);
    client.destroy();
  });

  it("shows a refusal once, under a name of its own, and goes on after it", async () => {
    await using server = await streamServer({ respond });
    const gatekeeper = guard(server);
    const client = open(server);
    for (const _ of [1, 2]) {
      gatekeeper.decision = refuse;
      const asked = gatekeeper.departures.length;
      const error = await client.send(command()).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: "ServiceQuotaExceededException", message: MESSAGE });
      expect(gatekeeper.departures.length - asked).toBe(1);
      gatekeeper.decision = () => gatekeeper.go();
      expect((await client.send(command())).stopReason).toBe("end_turn");
    }
    expect(server.hits).toHaveLength(2);
    client.destroy();
  });

  it("has its signed request sent as it was signed", async () => {
    await using server = await streamServer({ respond });
    const plain = open(server);
    await plain.send(command());
    const gatekeeper = guard(server);
    gatekeeper.decision = () => gatekeeper.go({ removeHeaders: ["x-budget-tenant"] });
    const client = open(server);
    await client.send(command());
    const names = server.hits.map(({ raw }) => raw.filter((_, at) => at % 2 === 0));
    expect(names[1]).toEqual(names[0]);
    expect(server.hits[1]?.body).toEqual(server.hits[0]?.body);
    plain.destroy();
    client.destroy();
  });
});

describe("gRPC", () => {
  /** One unary call of bytes, as generated clients make it. */
  const call = (client: Client): Promise<Buffer | ServiceError> =>
    new Promise((resolve) => {
      const bytes = (value: Buffer): Buffer => value;
      client.makeUnaryRequest("/google.Service/Generate", bytes, bytes, Buffer.from("ask"), (error, value) =>
        resolve(error ?? value ?? Buffer.alloc(0)),
      );
    });
  const respond = (stream: http2.ServerHttp2Stream): void => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 6, ...Buffer.from("answer")]));
  };

  it("is judged by its path, its body untouched", async () => {
    await using server = await streamServer({ respond });
    const gatekeeper = guard(server);
    const client = new Client(`localhost:${server.port}`, credentials.createInsecure());
    expect(String(await call(client))).toBe("answer");
    expect(gatekeeper.departures).toMatchObject([
      { transport: "http2", method: "POST", path: "/google.Service/Generate", body: null },
    ]);
    expect(gatekeeper.departures[0]?.headers["content-type"]).toBe("application/grpc");
    expect(server.hits[0]?.body).toEqual(Buffer.from([0, 0, 0, 0, 3, ...Buffer.from("ask")]));
    expect((await gatekeeper.ended())[0]).toMatchObject({ status: 200, ends: 1, failures: [] });
    client.close();
  });

  it("reads a refusal as a status that is not tried again", async () => {
    await using server = await streamServer({ respond });
    const gatekeeper = guard(server);
    gatekeeper.decision = refuse;
    const client = new Client(`localhost:${server.port}`, credentials.createInsecure());
    const error = await call(client);
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: MESSAGE });
    expect([server.hits.length, gatekeeper.departures.length]).toEqual([0, 1]);
    gatekeeper.decision = () => gatekeeper.go();
    expect(String(await call(client))).toBe("answer");
    client.close();
  });
});

const certificate = selfSigned();

describe.runIf(certificate !== null)("over TLS", () => {
  const ca = certificate?.cert ?? "";

  it.each([...undicis])("undici %i with HTTP/2 is decided on once, at its dispatcher", async (version, { Agent }) => {
    await using server = await streamServer({ certificate });
    const gatekeeper = guard(server);
    const agent = new Agent({ allowH2: true, connect: { ca } });
    const ask = async (): Promise<number> => {
      const options = { origin: server.url, path: "/v1/chat", method: "POST", body: "ask" };
      const { statusCode, body } = await agent.request(options);
      for await (const _ of body);
      return statusCode;
    };
    expect(await ask()).toBe(200);
    expect(gatekeeper.departures.map(({ transport }) => transport)).toEqual(["undici"]);
    // undici 5 has an HTTP/2 of its own age: what matters is that one was spoken.
    expect(server.hits, `undici ${version}`).toHaveLength(1);
    gatekeeper.decision = refuse;
    expect(await ask()).toBe(402);
    expect([gatekeeper.departures.length, server.hits.length]).toEqual([2, 1]);
    await agent.destroy();
  });

  it("got with HTTP/2 is held, let go and refused", async () => {
    await using server = await streamServer({ certificate });
    const gatekeeper = guard(server);
    const ask = () =>
      got.post(`${server.url}/v1/chat`, {
        http2: true,
        body: "ask",
        https: { certificateAuthority: ca },
        throwHttpErrors: false,
        retry: { limit: 0 },
      });
    const first = await ask();
    expect([first.statusCode, first.httpVersion]).toEqual([200, "2.0"]);
    gatekeeper.decision = refuse;
    const second = await ask();
    expect([second.statusCode, JSON.parse(second.body).message]).toEqual([402, MESSAGE]);
    expect(gatekeeper.departures.map(({ transport, body }) => [transport, String(body)])).toEqual([
      ["http2", "ask"],
      ["http2", "ask"],
    ]);
    expect(server.hits).toHaveLength(1);
  });

  it("axios with HTTP/2 is held, let go and refused", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const ask = () =>
      axios.post(`${server.url}/v1/chat`, "ask", {
        adapter: "http",
        httpVersion: 2,
        validateStatus: () => true,
      } as Parameters<typeof axios.post>[2]);
    expect((await ask()).status).toBe(200);
    gatekeeper.decision = refuse;
    expect(await ask()).toMatchObject({ status: 402, data: { message: MESSAGE } });
    expect(gatekeeper.departures.map(({ transport }) => transport)).toEqual(["http2", "http2"]);
    expect(server.hits).toHaveLength(1);
  });
});
