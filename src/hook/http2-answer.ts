import type { Answer } from "./exchange.ts";
import type { HeldOutput } from "./http2-output.ts";
import type { Stream } from "./http2-session.ts";

/** The flags of a HEADERS frame (RFC 9113, section 6.2). */
const END_STREAM = 1;
const END_HEADERS = 4;

/**
 * Answers a stream that has not been sent, as if the server had: its request is taken in and dropped, the response
 * arrives and ends, and the stream closes without an error when its caller has read it.
 */
export function answerStream(stream: Stream, output: HeldOutput, answer: Answer, method: string): void {
  const { destroy } = stream;
  // A session that is destroyed cancels what it has not sent. This is answered, and loses nothing by it.
  const survive = (error?: Error): Stream =>
    error !== undefined && "code" in error && error.code === "ERR_HTTP2_STREAM_CANCEL"
      ? stream
      : destroy.call(stream, error);
  Object.defineProperty(stream, "destroy", { value: survive, configurable: true, writable: true });
  output.drop();
  const headers: Record<string, string | number> = { __proto__: null } as never;
  const raw: string[] = [];
  for (const [name, value] of Object.entries({ ":status": answer.status, ...answer.headers })) {
    headers[name] = value;
    raw.push(name, String(value));
  }
  stream.once("end", () => setImmediate(() => stream.destroy()));
  const empty = method === "HEAD" || answer.body.length === 0;
  stream.emit("response", headers, empty ? END_HEADERS | END_STREAM : END_HEADERS, raw);
  if (stream.destroyed) return;
  if (!empty) stream.push(answer.body);
  stream.push(null);
}
