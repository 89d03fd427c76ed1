import { Duplex } from "node:stream";
import type { Answer } from "./exchange.ts";

/**
 * A connection on which nothing is sent and one answer is received: node:http's own parser makes the response of it,
 * so that the caller gets a genuine IncomingMessage.
 */
export class AnswerSocket extends Duplex {
  readonly connecting = false;
  readonly encrypted: boolean;
  readonly authorized = true;
  #raw: Buffer | null;

  constructor(answer: Answer, method: string, encrypted: boolean) {
    super();
    this.encrypted = encrypted;
    this.#raw = rawAnswer(answer, method);
  }

  override _read(): void {
    const raw = this.#raw;
    this.#raw = null;
    if (raw !== null) this.push(raw);
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  /** As on a net.Socket, whose methods clients call on whatever they are given. */
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  getPeerCertificate(): Record<string, never> {
    return {};
  }

  /** node:http calls this at the response's end and expects a socket that cannot be written to any more. */
  destroySoon(): void {
    this.destroy();
  }
}

function rawAnswer(answer: Answer, method: string): Buffer {
  // `close`: node:http must not keep this connection for a next request.
  const headers = { ...answer.headers, "content-length": String(answer.body.length), connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`HTTP/1.1 ${answer.status} ${answer.reason}\r\n${lines.join("")}\r\n`, "latin1");
  return method === "HEAD" ? head : Buffer.concat([head, answer.body]);
}
