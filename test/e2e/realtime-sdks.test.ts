import { afterEach, describe, expect, it } from "vitest";
import { meterOf, status } from "../support/asking.ts";
import { selfSigned } from "../support/certificate.ts";
import { type Project, project } from "../support/run-app.ts";
import { COST, type RealtimeServer, realtimeServer } from "./realtime-server.ts";

let server: RealtimeServer;
let at: Project;
afterEach(async () => {
  await server.close();
  at.remove();
});

const made = selfSigned();
if (made === null) throw new Error("openssl is needed: OpenAI's SDK speaks wss: only");
const secure = made;

const POLICY = "tenant.daily > $100 -> deny\ntenant.calls.daily > 1000 -> deny\n";

async function run(text: string, policy = POLICY, options: Parameters<typeof realtimeServer>[1] = {}) {
  server = await realtimeServer(undefined, options);
  at = project({
    policy,
    files: { "app.mjs": text.replaceAll("HOST", server.host) },
    env: { BUDGET_GUARD_HOSTS: `${server.host}=openai`, BUDGET_GUARD_TENANT: "acme" },
  });
  const end = await at.run();
  if (end.code !== 0) throw new Error(`ended with ${end.code}:\n${end.stdout}\n${end.stderr}`);
  return end;
}

const spent = async (): Promise<readonly [number, number]> => {
  const found = await status(at);
  return [meterOf(found, "tenant.cost.daily").spent, meterOf(found, "tenant.calls.daily").spent];
};

const openai = (responses: number): string => `
  import OpenAI from "openai";
  import { OpenAIRealtimeWS } from "openai/realtime/ws";
  const client = new OpenAI({ apiKey: "sk-test", baseURL: "https://HOST/v1" });
  const rt = new OpenAIRealtimeWS({ model: "gpt-realtime", options: { rejectUnauthorized: false } }, client);
  const seen = [];
  let left = ${responses};
  const ask = () => (left-- > 0 ? rt.send({ type: "response.create" }) : rt.close());
  rt.on("error", (error) => seen.push(error.message.split("\\n")[0]));
  rt.on("session.created", ask);
  rt.on("response.done", ({ response }) => { seen.push(response.usage.input_tokens); ask(); });
  rt.socket.on("close", (code) => console.log(JSON.stringify({ seen, code })));`;

describe("OpenAI's SDK over TLS", () => {
  it("is metered, response by response", async () => {
    const end = await run(openai(2), POLICY, { secure });
    expect(end.json()).toEqual({ seen: [120, 120], code: 1000 });
    expect(await spent()).toEqual([Number((2 * COST).toFixed(9)), 2]);
  });

  it("hears of a budget that is gone through its own error event", async () => {
    const end = await run(openai(100), "tenant.hourly > $0.08 -> deny\n", { secure });
    const { seen, code } = end.json<{ seen: unknown[]; code: number }>();
    expect(code).toBe(1008);
    expect(seen.at(-1)).toMatch(/budget-guard closed this session: tenant "acme" would reach .* code=budget_exceeded/);
  });

  it("hears of a refused handshake", async () => {
    const end = await run(openai(1), "tenant.daily > $0 -> deny\n", { secure });
    expect(end.json()).toMatchObject({ seen: [expect.stringContaining("402")], code: 1006 });
    expect(server.opened).toHaveLength(0);
  });
});

describe("Google's SDK", () => {
  it("is metered, turn by turn", async () => {
    const end = await run(`
      import { GoogleGenAI, Modality } from "@google/genai";
      const ai = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: "http://HOST" } });
      let turns = 0;
      const done = Promise.withResolvers?.() ?? (() => { const d = {}; d.promise = new Promise((r) => (d.resolve = r)); return d; })();
      const session = await ai.live.connect({
        model: "gemini-live-2.5-flash-preview",
        config: { responseModalities: [Modality.AUDIO] },
        callbacks: { onmessage: (message) => {
          if (!message.serverContent?.turnComplete) return;
          turns += 1;
          if (turns === 3) { session.close(); done.resolve(); } else session.sendClientContent({ turns: "more" });
        } },
      });
      session.sendClientContent({ turns: "hello" });
      await done.promise;
      console.log(JSON.stringify({ turns }));`);
    expect(end.json()).toEqual({ turns: 3 });
    expect(await spent()).toEqual([Number(((3 * (100 * 0.5 + 200 * 3 + 80 * 12)) / 1e6).toFixed(9)), 3]);
  });
});
