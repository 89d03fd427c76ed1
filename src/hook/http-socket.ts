import type { Connection, Request } from "./http-request.ts";

/**
 * A socket that has come for a request which is still held. It must not break the process meanwhile (a refused
 * connection is an 'error' event that nobody else listens to yet), and its time-out is the request's.
 */
export class GuestSocket {
  readonly #socket: Connection;
  readonly #request: Request;
  readonly #broken: (error: unknown) => void;
  #timed: boolean;

  /** `broken` is told when the connection fails or closes while the request is held. */
  constructor(socket: Connection, request: Request, broken: (error: unknown) => void) {
    this.#socket = socket;
    this.#request = request;
    this.#broken = broken;
    this.#timed = request.timeout !== undefined || request.agent?.options?.timeout !== undefined;
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    socket.on("timeout", this.#onTimeout);
  }

  /** Starts the time limit that the caller set on the request, as node:http would when it hands out the socket. */
  setTimeout(ms: number | undefined): void {
    if (ms === undefined) return;
    this.#timed = true;
    const start = (): unknown => this.#socket.setTimeout?.(ms);
    if (this.#socket.connecting === true) this.#socket.once("connect", start);
    else start();
  }

  /** Takes all listeners off and hands the socket out. */
  leave(): Connection {
    this.#socket.removeListener("error", this.#onError);
    this.#socket.removeListener("close", this.#onClose);
    this.#socket.removeListener("timeout", this.#onTimeout);
    return this.#socket;
  }

  /**
   * Returns a socket that was never used to its agent. Later, since agents hand sockets out in the middle of their
   * book-keeping. `_httpMessage` is where an agent looks whether the socket may be kept.
   */
  static giveBack(socket: Connection, request: Request): void {
    process.nextTick(() => {
      if (socket.destroyed) return;
      const keepable = { shouldKeepAlive: true };
      socket.setTimeout?.(0);
      socket._httpMessage = keepable;
      if (request.agent === undefined || !socket.emit("free")) socket.destroy();
      if (socket._httpMessage === keepable) socket._httpMessage = null;
    });
  }

  readonly #onError = (error: unknown): void => this.#broken(error);

  readonly #onClose = (): void => {
    this.#broken(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
  };

  readonly #onTimeout = (): void => {
    if (this.#timed) this.#request.emit("timeout");
  };
}
