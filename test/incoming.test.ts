import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as later } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { type Incoming, watchIncoming } from "../src/incoming.ts";

let close = (): void => {};
afterEach(() => close());

it("tells concurrent requests over kept-alive sockets apart, after awaits, and is silent outside", async () => {
  const incomings = watchIncoming({ tenant: "x-tenant-id" });
  expect(incomings.served).toBe(false);
  const server = createServer(async (request, response) => {
    const before = incomings.current();
    await later(Math.random() * 5);
    for await (const _ of request) await later(1);
    const after = incomings.current();
    response.end(JSON.stringify({ before, after }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const response = await fetch(url, { method: "POST", body: "x", headers: { "x-tenant-id": `t${i}` } });
      return (await response.json()) as { before: Incoming; after: Incoming };
    }),
  );
  answers.forEach(({ before, after }, i) => {
    expect(before.identity).toEqual({ tenant: `t${i}` });
    expect(after).toEqual(before);
  });
  expect(new Set(answers.map(({ before }) => before.id)).size).toBe(60);
  expect(incomings.current()).toBeNull();
  expect(incomings.served).toBe(true);
});

it("knows the request in the listeners of a body that comes later than its head", async () => {
  const incomings = watchIncoming({ tenant: "x-tenant-id" });
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    request.on("data", () => seen.push(incomings.current()?.identity.tenant));
    request.on("end", () => {
      seen.push(incomings.current()?.identity.tenant);
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  close = () => {
    socket.destroy();
    server.close();
  };
  for (const tenant of ["a", "b"]) {
    const arrived = new Promise((resolve) => server.once("request", resolve));
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\nx-tenant-id: ${tenant}\r\ncontent-length: 4\r\n\r\n`);
    await arrived;
    const answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write("body");
    await answered;
  }
  expect(seen).toEqual(["a", "a", "b", "b"]);
});
