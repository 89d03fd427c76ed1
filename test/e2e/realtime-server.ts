/**
 * A provider of realtime sessions on loopback: it speaks OpenAI's events, or Gemini's where that is how it is addressed.
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { Certificate } from "../support/certificate.ts";

/** What one response says that it used, and what that costs at gpt-realtime's prices. */
export const USED = {
  total_tokens: 170,
  input_tokens: 120,
  output_tokens: 50,
  input_token_details: {
    text_tokens: 20,
    audio_tokens: 100,
    cached_tokens: 40,
    cached_tokens_details: { text_tokens: 10, audio_tokens: 30 },
  },
  output_token_details: { text_tokens: 10, audio_tokens: 40 },
};

/** 70 new tokens of sound at $32 per million, 10 of text at $4, 40 cached at $0.40, then 40 of sound at $64 and 10 of text at $16. */
export const COST = (70 * 32 + 10 * 4 + 40 * 0.4 + 40 * 64 + 10 * 16) / 1e6;

export interface RealtimeServer {
  readonly host: string;
  readonly url: string;
  /** Every connection that was made. */
  readonly opened: IncomingMessage[];
  /** What clients said, parsed. */
  readonly heard: { readonly type?: string }[];
  /** Close codes and reasons as the server heard them. */
  readonly closes: { readonly code: number; readonly reason: string }[];
  readonly sockets: ReadonlySet<WebSocket>;
  close(): Promise<void>;
}

/** How a server answers `response.create`; by default a whole response at once. */
export type Answer = (socket: WebSocket, response: string) => void;

export const whole: Answer = (socket, id) => {
  say(socket, { type: "response.created", response: { id, status: "in_progress", usage: null } });
  say(socket, { type: "response.output_audio.delta", response_id: id, delta: "A".repeat(3_200) });
  say(socket, { type: "response.output_audio_transcript.delta", response_id: id, delta: "well, yes" });
  say(socket, { type: "response.done", response: { id, status: "completed", output: [], usage: USED } });
};

export const say = (socket: WebSocket, event: object): void =>
  socket.send(JSON.stringify({ event_id: "event_1", ...event }));

/** Starts the server. `session` names every session of it. */
export async function realtimeServer(
  answer: Answer = whole,
  options: ServerOptions & { readonly session?: object; readonly secure?: Certificate } = {},
): Promise<RealtimeServer> {
  const { session = {}, secure, ...rest } = options;
  const http = secure === undefined ? createServer() : createSecureServer(secure);
  const wss = new WebSocketServer({ server: http, ...rest });
  const opened: IncomingMessage[] = [];
  const heard: { type?: string }[] = [];
  const closes: { code: number; reason: string }[] = [];
  let responses = 0;
  wss.on("connection", (socket, request) => {
    opened.push(request);
    socket.on("error", () => {});
    socket.on("close", (code, reason) => closes.push({ code, reason: String(reason) }));
    socket.on("message", (data) => {
      const event = JSON.parse(String(data));
      heard.push(event);
      responses += 1;
      if (event.type === "response.create") answer(socket, `resp_${responses}`);
      if (event.setup !== undefined) socket.send(Buffer.from('{"setupComplete":{}}'));
      if (event.clientContent !== undefined) geminiTurn(socket);
    });
    const model = new URL(request.url ?? "", "http://h").searchParams.get("model");
    if (model !== null) {
      const id = `sess_${opened.length}`;
      say(socket, {
        type: "session.created",
        session: { id, type: "realtime", model: `${model}-2025-08-28`, ...session },
      });
    }
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    host,
    url: `${secure === undefined ? "ws" : "wss"}://${host}`,
    opened,
    heard,
    closes,
    sockets: wss.clients,
    close: async () => {
      for (const socket of wss.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** One turn of Gemini Live: sound, then its usage with the end of the turn. */
function geminiTurn(socket: WebSocket): void {
  const sound = { mimeType: "audio/pcm;rate=24000", data: "A".repeat(2_000) };
  const send = (message: object): void => socket.send(Buffer.from(JSON.stringify(message)));
  send({ serverContent: { modelTurn: { parts: [{ inlineData: sound }] } } });
  send({ serverContent: { generationComplete: true } });
  send({
    serverContent: { turnComplete: true },
    usageMetadata: {
      promptTokenCount: 300,
      responseTokenCount: 80,
      totalTokenCount: 380,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 100 },
        { modality: "AUDIO", tokenCount: 200 },
      ],
      responseTokensDetails: [{ modality: "AUDIO", tokenCount: 80 }],
    },
  });
}
