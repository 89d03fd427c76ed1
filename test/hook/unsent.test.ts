import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { undicis } from "./clients.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";

let server: Loopback;
let gatekeeper: FakeGatekeeper;
let dispose = (): void => {};

beforeEach(async () => {
  server = await loopback(() => {});
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  dispose = install(gatekeeper).dispose;
});
afterEach(async () => {
  dispose();
  await server[Symbol.asyncDispose]();
});

type Fetch = (url: string, init: { method: string; body: string; signal?: AbortSignal }) => Promise<unknown>;

const fetches = new Map<string, Fetch>([
  ["built-in", fetch],
  ...[...undicis].map(([version, { fetch }]): [string, Fetch] => [`undici ${version}`, fetch as Fetch]),
]);

const post = (signal: AbortSignal) => ({ method: "POST", body: "x", signal }) as const;

describe("a request that failed", () => {
  it("is told as unsent where its caller gave up while it was held", async () => {
    for (const [version, fetching] of fetches) {
      const caller = new AbortController();
      gatekeeper.told.length = 0;
      gatekeeper.decision = () => {
        caller.abort();
        return gatekeeper.go();
      };
      await expect(fetching(`${server.url}/v1/chat`, post(caller.signal)), version).rejects.toThrow();
      expect(await gatekeeper.ended(), version).toMatchObject([{ failures: [{ kind: "abort", unsent: true }] }]);
      expect(server.hits, version).toHaveLength(0);
    }
  });

  it("is told as sent where its caller gave up on the answer", async () => {
    for (const [version, fetching] of fetches) {
      const caller = new AbortController();
      gatekeeper.told.length = 0;
      gatekeeper.decision = () => gatekeeper.go();
      const before = server.hits.length;
      const sent = fetching(`${server.url}/v1/chat`, post(caller.signal));
      const failed = expect(sent, version).rejects.toThrow();
      await server.arrived(before + 1);
      caller.abort();
      await failed;
      const [told] = await gatekeeper.ended();
      expect(told?.failures, version).toMatchObject([{ kind: "abort" }]);
      expect(told?.failures[0], version).not.toHaveProperty("unsent");
    }
  });

  it("is told as unsent where nobody listened", async () => {
    const closed = createServer();
    const port = await new Promise<number>((resolve) => {
      closed.listen(0, "127.0.0.1", () => {
        const address = closed.address();
        closed.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
      });
    });
    gatekeeper.ports.add(port);
    await expect(fetch(`http://127.0.0.1:${port}/v1/chat`, { method: "POST", body: "x" })).rejects.toThrow();
    expect(await gatekeeper.ended()).toMatchObject([{ failures: [{ code: "ECONNREFUSED", unsent: true }] }]);
  });
});
