import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { install } from "../../src/hook/install.ts";
import { loopback } from "../support/loopback.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

let dispose = (): void => {};
afterEach(() => dispose());

test("fetch", async () => {
  await using server = await loopback();
  const gk = new FakeGatekeeper();
  gk.ports.add(server.port);
  dispose = install(gk).dispose;
  const r = await fetch(`${server.url}/v1/chat`, { method: "POST", body: "hello", headers: { "x-a": "1" } });
  expect(await r.json()).toMatchObject({ length: 5 });
  expect(gk.departures).toHaveLength(1);
  expect(String(gk.departures[0]?.body)).toBe("hello");
  expect((await gk.ended())[0]).toMatchObject({ status: 200, ends: 1 });
  gk.decision = refuse;
  const q = await fetch(`${server.url}/v1/chat`, { method: "POST", body: "hello", headers: { "x-a": "1" } });
  expect(q.status).toBe(402);
  expect(await q.json()).toMatchObject({ error: { code: "budget_exceeded" } });
  expect(server.hits).toHaveLength(1);
});

test("http", async () => {
  await using server = await loopback();
  const gk = new FakeGatekeeper();
  gk.ports.add(server.port);
  dispose = install(gk).dispose;
  const send = () =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const req = request(`${server.url}/v1/chat`, { method: "POST" }, async (res) => {
        let text = "";
        for await (const c of res) text += c;
        resolve({ status: res.statusCode, text });
      });
      req.on("error", reject);
      req.write("hel");
      req.end("lo");
    });
  expect(await send()).toMatchObject({ status: 200 });
  expect(String(gk.departures[0]?.body)).toBe("hello");
  expect((await gk.ended())[0]).toMatchObject({ status: 200, ends: 1 });
  gk.decision = refuse;
  expect(await send()).toMatchObject({ status: 402 });
  expect(server.hits).toHaveLength(1);
  expect(gk.departures).toHaveLength(2);
});
