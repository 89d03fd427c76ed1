import { AsyncResource } from "node:async_hooks";
import type { Duplex } from "node:stream";
import type { Failure, Session } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { type OnceTap, quietly } from "./once.ts";
import { CONTROL, closeFrame, serverFrame } from "./websocket-frames.ts";
import { MessageReader } from "./websocket-messages.ts";

/** How long a client has to answer our close frame before its connection is broken, ms. */
const GRACE_MS = 1_000;

const TEXT = 1;

/**
 * Follows the connection of a request that was upgraded, if whoever watches the request wants to. Called before the
 * client gets it, so that nothing that it writes at once is missed. False: nobody follows.
 */
export function followUpgrade(
  tap: OnceTap,
  headers: Readonly<Record<string, string>>,
  socket: unknown,
  head: unknown = null,
): boolean {
  if (!isDuplex(socket) || headers.upgrade?.toLowerCase() !== "websocket") return false;
  let watch: WebSocketWatch | null = null;
  quietly(() => {
    const line = { close: (...last: Last) => watch?.close(...last) };
    const session = tap.upgrade(headers, line);
    if (session === null) return;
    const extensions = headers["sec-websocket-extensions"] ?? "";
    watch = new WebSocketWatch(socket, session, extensions, head instanceof Uint8Array ? asBuffer(head) : NOTHING);
  });
  return watch !== null;
}

type Last = readonly [code: number, reason: string, lastWords: string | null];

/**
 * Reads a WebSocket on the side. What comes in is seen as the client is given it and what goes out as it is written, so that
 * neither waits and the client's own back pressure is ours too.
 *
 *     following ──▶ closing ──▶ closed    the server's frame under way is let through to its end, then comes our own
 */
class WebSocketWatch {
  readonly #socket: Duplex;
  readonly #session: Session;
  readonly #server: MessageReader;
  readonly #client: MessageReader;
  /** What the client does with our close frame must not run in the gatekeeper's context. */
  readonly #context = new AsyncResource("BudgetGuardWebSocket");
  readonly #emit: (...args: unknown[]) => boolean;
  #last: Last | null = null;
  #closed = false;
  #cause: Failure | null = null;
  #over = false;
  /** What came with the answer's head; empty once it is read. */
  #first: Buffer;

  constructor(socket: Duplex, session: Session, extensions: string, first: Buffer) {
    this.#socket = socket;
    this.#session = session;
    this.#first = first;
    const [extension = "", ...others] = extensions.split(",").map((one) => one.trim().split(";", 1)[0] ?? "");
    const deflate = extension === "permessage-deflate";
    const lost = (): void => quietly(() => session.unreadable());
    const reader = (from: "client" | "server"): MessageReader =>
      new MessageReader({
        deflate,
        wanted: () => session.wants(from),
        message: (bytes) => quietly(() => session.message(from, bytes)),
        lost,
      });
    this.#server = reader("server");
    this.#client = reader("client");
    this.#emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    const end = socket.end.bind(socket) as (...args: unknown[]) => unknown;
    replace(socket, "emit", (...args) => this.#event(args));
    replace(socket, "write", (...args) => this.#written(args, write));
    replace(socket, "end", (...args) => {
      this.#sent(args);
      return end(...args);
    });
    // Most clients put it back and read it as data; those that do not have read it by then.
    const unshift = socket.unshift.bind(socket) as (...args: unknown[]) => unknown;
    replace(socket, "unshift", (...args) => {
      if (args[0] === first) this.#first = NOTHING;
      return unshift(...args);
    });
    if (first.length > 0) setImmediate(() => this.#readFirst());
    if (others.length > 0 || (extension !== "" && !deflate)) queueMicrotask(lost);
  }

  /** Ends the connection as if the server did: last words where they fit between two messages, then the close frame. */
  close(...last: Last): void {
    if (this.#last !== null || this.#over) return;
    this.#last = last;
    if (this.#server.frames.between) this.#sayLast();
    // A server that stops inside a frame must not keep the session open.
    setTimeout(() => this.#socket.destroy(), GRACE_MS).unref();
  }

  #event(args: unknown[]): boolean {
    const [name, subject] = args;
    if (name === "data" && subject instanceof Uint8Array) return this.#received(asBuffer(subject));
    if (name === "error") this.#cause ??= failureOf(subject, false);
    const heard = this.#emit(...args);
    if (name === "close") this.#ended();
    return heard;
  }

  #readFirst(): void {
    const first = this.#first;
    this.#first = NOTHING;
    quietly(() => this.#server.push(first));
  }

  #received(bytes: Buffer): boolean {
    if (this.#closed) return true;
    this.#readFirst();
    if (this.#last === null) {
      const heard = this.#emit("data", bytes);
      quietly(() => this.#server.push(bytes));
      return heard;
    }
    const length = this.#server.pushFrame(bytes);
    const heard = this.#emit("data", bytes.subarray(0, length));
    if (this.#server.frames.between) this.#sayLast();
    return heard;
  }

  #sayLast(): void {
    const last = this.#last;
    if (this.#closed || last === null) return;
    const [code, reason, words] = last;
    const fits = words !== null && this.#server.betweenMessages && !this.#server.closed;
    this.#closed = true;
    const frames = [...(fits ? [serverFrame(TEXT, Buffer.from(words))] : []), closeFrame(code, reason)];
    quietly(() => this.#context.runInAsyncScope(this.#emit, undefined, "data", Buffer.concat(frames)));
  }

  #written(args: unknown[], write: (...args: unknown[]) => boolean): boolean {
    if (this.#closed && (this.#client.frames.opcodeOf(bytesOf(args)) ?? CONTROL) < CONTROL) {
      // Nothing more is asked of the provider; the client hears that it was written, as after any close.
      this.#sent(args);
      const done = args.find((arg) => typeof arg === "function");
      if (typeof done === "function") process.nextTick(() => done());
      return true;
    }
    const room = write(...args);
    this.#sent(args);
    return room;
  }

  #sent(args: unknown[]): void {
    quietly(() => this.#client.push(bytesOf(args)));
  }

  #ended(): void {
    if (this.#over) return;
    this.#over = true;
    const shut = this.#closed || this.#server.closed || this.#client.closed;
    const broken: Failure = this.#socket.readableEnded
      ? { kind: "network", code: "ECONNRESET" }
      : { kind: "abort", code: "ABORT_ERR" };
    // The last usage event may be in the inflater still.
    this.#client.drain(() =>
      this.#server.drain(() => quietly(() => this.#session.end(shut ? null : (this.#cause ?? broken)))),
    );
  }
}

function replace(socket: Duplex, name: string, value: (...args: unknown[]) => unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, writable: true, enumerable: false });
}

const NOTHING = Buffer.alloc(0);

function bytesOf([chunk, encoding]: unknown[]): Buffer {
  if (chunk instanceof Uint8Array) return asBuffer(chunk);
  if (typeof chunk !== "string") return NOTHING;
  return Buffer.from(chunk, typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8");
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const isDuplex = (value: unknown): value is Duplex =>
  typeof value === "object" && value !== null && "emit" in value && "write" in value && "destroy" in value;
