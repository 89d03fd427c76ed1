/**
 * What reads a session over WebSocket, whichever dialect its messages are in.
 */
import type { Usage } from "../call.ts";
import { parse } from "../json.ts";

/** What one response of a session used. */
export interface Used {
  /** Unique in the session: the response's own name, or its number. */
  readonly id: string;
  /** `beside`: by a model of its own what was said was written down, or a picture was drawn. */
  readonly kind: "response" | "beside";
  /** The model that is billed, null for the session's. */
  readonly model: string | null;
  /** Null where the response does not say. */
  readonly usage: Usage | null;
  readonly finishReason: string;
  /** True where the provider says that it failed. */
  readonly failed: boolean;
}

/** A response that has begun, as far as it came. */
export interface Unfinished {
  readonly id: string;
  readonly outputTokens: number;
  readonly outputAudioTokens: number;
}

/** Reads one session, message by message. */
export interface SessionReader {
  wants(from: "client" | "server"): boolean;
  /** What this message says was used. */
  take(from: "client" | "server", bytes: Buffer): readonly Used[];
  /** The session's model as the provider or the client names it, null where nobody has. */
  model(): string | null;
  /** The provider's own name of the session, null where it gives none. */
  id(): string | null;
  /** Responses that have begun and not ended. */
  unfinished(): readonly Unfinished[];
  /** A message that tells a client why it is cut off, null where the dialect has none. */
  lastWords(message: string, detail: unknown): string | null;
}

/** Whether any of the words stands in the message: sound is passed over without being read as JSON. */
export const mentions = (bytes: Buffer, words: readonly string[]): boolean =>
  words.some((word) => bytes.includes(word));

/** The message as JSON, undefined where it is none. */
export const json = (bytes: Buffer): unknown => parse(bytes.toString("utf8"));
