import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { project } from "../support/run-app.ts";
import { realtimeServer } from "./realtime-server.ts";

const MESSAGES = 1_600;

/** 32 KB of sound, each another. */
const sound = (at: number): string =>
  JSON.stringify({
    type: "response.output_audio.delta",
    event_id: `e${at}`,
    response_id: "r",
    delta: "A".repeat(32_000),
  });

const text = (client: string): string => `
  import { WebSocket as Ws } from "ws";
  import { createHash } from "node:crypto";
  const Socket = ${client === "ws" ? "Ws" : "WebSocket"};
  const socket = new Socket("URL");
  const hash = createHash("sha256");
  const inUse = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
  let count = 0;
  // What is loaded and compiled at the start is in the first half's greatest figure.
  const most = [0, 0];
  socket.addEventListener("open", () => socket.send('{"type":"response.create"}'));
  socket.addEventListener("message", ({ data }) => {
    if (!data.includes("audio.delta")) return;
    hash.update(data);
    count += 1;
    const half = count <= ${MESSAGES} / 2 ? 0 : 1;
    if (count % 100 === 0) most[half] = Math.max(most[half], inUse());
    if (count === ${MESSAGES}) socket.close(1000);
  });
  socket.addEventListener("close", () => console.log(JSON.stringify({ count, most, sum: hash.digest("hex") })));`;

const clients = ["ws", ...("WebSocket" in globalThis ? ["built-in"] : [])];

it.each(clients)("50 MB of sound pass the %s client byte for byte, and memory stays flat", async (client) => {
  const server = await realtimeServer((socket) => {
    let at = 0;
    // As fast as they are taken, and no faster: what waits here is not the client's.
    const next = (): void => {
      if (at === MESSAGES) return;
      socket.send(sound(at), next);
      at += 1;
    };
    next();
  });
  const at = project({
    policy: "tenant.daily > $100 -> deny\n",
    files: { "app.mjs": text(client).replace("URL", `${server.url}/v1/realtime?model=gpt-realtime`) },
    env: { BUDGET_GUARD_HOSTS: `${server.host}=openai`, BUDGET_GUARD_TENANT: "acme" },
  });
  try {
    const end = await at.run({ flags: ["--expose-gc", "--require", "budget-guard/register"] });
    const { count, most, sum } = end.json<{ count: number; most: [number, number]; sum: string }>();
    const expected = createHash("sha256");
    for (let i = 0; i < MESSAGES; i++) expected.update(sound(i));
    expect([count, sum]).toEqual([MESSAGES, expected.digest("hex")]);
    expect(most[1] - most[0]).toBeLessThan(5_000_000);
  } finally {
    await server.close();
    at.remove();
  }
});
