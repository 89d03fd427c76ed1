/** A socket of node:net, with what it keeps the same in Node 20 to 26 (lib/net.js, lib/internal/tls/wrap.js). */
interface Counting {
  /** Bytes that were handed to the system; none while it connects. */
  readonly _bytesDispatched?: unknown;
  /** Of TLS alone: until then nothing but the handshake can be sent. */
  readonly _secureEstablished?: unknown;
}

/** Whether anything of one request has left, as the socket tells that it was given. */
export class Sent {
  #socket: Counting | null = null;
  #before: unknown;

  /** The request has a socket, and has not written to it yet. */
  begin(socket: object): void {
    this.#socket = socket;
    this.#before = this.#socket._bytesDispatched;
  }

  /** False while the request has no socket. */
  get begun(): boolean {
    return this.#socket !== null;
  }

  /** True where surely not a byte of it has. */
  get nothing(): boolean {
    const socket = this.#socket;
    if (socket === null) return true;
    if (socket._secureEstablished === false) return true;
    return typeof this.#before === "number" && socket._bytesDispatched === this.#before;
  }
}
