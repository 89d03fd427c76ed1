import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { selfSigned } from "../support/certificate.ts";
import { secureClients } from "./clients.ts";
import { ANSWER, FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

const certificate = selfSigned();

/** What reached the server: who asked, over which connection. */
interface Hit {
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly connection: number;
}

describe.runIf(certificate !== null)("over TLS", () => {
  const hits: Hit[] = [];
  const connections = new Map<object, number>();
  const server = createServer({ key: certificate?.key, cert: certificate?.cert }, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    hits.push({ rawHeaders: request.rawHeaders, body, connection: connections.get(request.socket) ?? -1 });
    response.end("answered");
  });
  server.on("secureConnection", (socket) => connections.set(socket, connections.size));
  let port = 0;
  let dispose = (): void => {};

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => {
    dispose();
    hits.splice(0);
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  describe.each(secureClients(certificate?.cert ?? ""))("$name", (client) => {
    const send = async (): Promise<readonly [number, string][]> => {
      const session = client.open(`https://127.0.0.1:${port}`, "");
      const replies: [number, string][] = [];
      for (const body of ["a", "b"]) {
        const { status, body: text } = await session.send({
          url: `https://127.0.0.1:${port}/v1/chat`,
          method: "POST",
          body,
        });
        replies.push([status, String(text)]);
      }
      await session.close();
      return replies;
    };

    it("is as without the guard", async () => {
      const bare = await send();
      const seen = hits.splice(0);
      const gatekeeper = new FakeGatekeeper();
      gatekeeper.ports.add(port);
      dispose = install(gatekeeper).dispose;
      expect(await send()).toEqual(bare);
      expect(hits.map(({ rawHeaders, body }) => ({ rawHeaders, body }))).toEqual(
        seen.map(({ rawHeaders, body }) => ({ rawHeaders, body })),
      );
      const reused = (all: readonly Hit[]): boolean =>
        new Set(all.map(({ connection }) => connection)).size < all.length;
      expect(reused(hits)).toBe(reused(seen));
      expect(gatekeeper.departures).toMatchObject([
        { protocol: "https:", hostname: "127.0.0.1", port },
        { protocol: "https:", hostname: "127.0.0.1", port },
      ]);
    });

    it("is refused before anything is sent", async () => {
      const gatekeeper = new FakeGatekeeper();
      gatekeeper.ports.add(port);
      gatekeeper.decision = refuse;
      dispose = install(gatekeeper).dispose;
      expect(await send()).toEqual([
        [402, String(ANSWER.body)],
        [402, String(ANSWER.body)],
      ]);
      expect(hits).toHaveLength(0);
    });
  });
});
