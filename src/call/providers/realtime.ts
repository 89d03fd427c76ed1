/**
 * Sessions over WebSocket: which addresses open one, and what their messages say was used. One address for all providers that
 * speak a dialect, so that a gateway's session is metered like the provider's own.
 */
import { type Endpoint, NOTHING_ASKED, type RequestFacts } from "../provider.ts";
import { geminiSession } from "./realtime-gemini.ts";
import { openaiSession } from "./realtime-openai.ts";
import type { SessionReader } from "./realtime-reader.ts";
import { segments } from "./segments.ts";

/** A session's address: metered where its messages can be read. Null: none. */
export function sessionEndpoint(method: string, path: string): Endpoint | null {
  if (method !== "GET" && method !== "CONNECT") return null;
  const dialect = dialectOf(path);
  if (dialect === null) return null;
  return dialect === "unknown" ? UNMETERED : METERED;
}

const METERED: Endpoint = Object.freeze({ operation: "realtime", spending: "metered" });
const UNMETERED: Endpoint = Object.freeze({ operation: "realtime", spending: "unmetered" });

type Dialect = "openai" | "gemini" | "unknown";

function dialectOf(path: string): Dialect | null {
  // Asked for every GET to a provider: most paths leave here.
  if (!/realtime|responses|\/ws\//.test(path)) return null;
  const parts = segments(path);
  // Cloudflare manages calls between people under such a name: `/client/v4/accounts/A/realtime/kit/...`.
  if (parts[0] === "client") return null;
  const last = parts.at(-1) ?? "";
  // Under `audio` others write down speech, in events of their own.
  const isEvents = last === "realtime" && !parts.includes("audio");
  if (isEvents || (last === "responses" && parts.length <= 3)) return "openai";
  // `BidiGenerateContentConstrained` is the same under a token for one session.
  if (/(^|\.)BidiGenerateContent(Constrained)?$/.test(last)) return "gemini";
  return parts[0] === "ws" || parts.includes("realtime") ? "unknown" : null;
}

/** A reader for the session that was opened at this address. */
export const sessionReader = (path: string): SessionReader =>
  dialectOf(path) === "gemini" ? geminiSession() : openaiSession(modelIn(path));

/** The model in the query: `model`, or Azure's `deployment`. */
function modelIn(path: string): string | null {
  const query = path.indexOf("?");
  if (query < 0) return null;
  const told = new URLSearchParams(path.slice(query + 1));
  return told.get("model") || told.get("deployment") || null;
}

/** By whose price a session is judged until somebody has named its model: one as it usually is. */
export function usualModel(path: string): string {
  if (dialectOf(path) === "gemini") return "gemini-live-2.5-flash-preview";
  if (segments(path).at(-1) === "responses") return "gpt-5";
  return /[?&]intent=transcription\b/.test(path) ? "gpt-4o-transcribe" : "gpt-realtime";
}

/** Instructions and a first sentence, as long as they usually are: 1,000 tokens. */
const OPENING_BYTES = 3_000;

/** What can be said of a session before it opens: whose model it is, and that it will ask something. */
export const sessionFacts = (path: string): RequestFacts => ({
  ...NOTHING_ASKED,
  model: modelIn(path),
  stream: true,
  textBytes: OPENING_BYTES,
});
