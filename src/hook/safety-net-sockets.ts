import type { Gatekeeper } from "./exchange.ts";
import { isExempt } from "./exempt.ts";
import { quietly } from "./once.ts";
import type { Method, Patches } from "./patches.ts";

/** What every write of a socket goes through, in Node 20 to 26 (lib/net.js). */
const WRITE = "_writeGeneric";

/**
 * Watches connections to providers for bytes that no HTTP client of Node or of undici wrote: a client of its own on bare
 * sockets. Only the first write of a connection is looked at; connections to other hosts cost one question each.
 */
export class SocketWatch {
  readonly #gatekeeper: Gatekeeper;
  readonly #patches: Patches;
  readonly #connecting: () => void;
  /** Where the sockets that are watched lead. */
  readonly #places = new WeakMap<object, Place>();
  #plain = false;
  #secure = false;

  /** `connecting` is called before a connection to a provider begins. */
  constructor(gatekeeper: Gatekeeper, patches: Patches, connecting: () => void) {
    this.#gatekeeper = gatekeeper;
    this.#patches = patches;
    this.#connecting = connecting;
  }

  /** False once both kinds of sockets are met. */
  get wanting(): boolean {
    return !(this.#plain && this.#secure);
  }

  /** Meets a socket: the first of each kind shows the prototype to patch. */
  meet(emitter: object): void {
    for (let at: unknown = emitter; isObject(at); at = Object.getPrototypeOf(at)) {
      const { name } = at.constructor;
      if (name === "Socket" && !this.#plain && Object.hasOwn(at, WRITE) && Object.hasOwn(at, "connect")) {
        this.#plain = true;
        this.#listen(at, "connect", placeOf);
      } else if (name === "TLSSocket" && !this.#secure && Object.hasOwn(at, "setServername")) {
        // A connection through a proxy's tunnel has no address but this name.
        this.#secure = true;
        this.#listen(at, "setServername", ([name]) => (typeof name === "string" ? { host: name, port: 443 } : null));
        // Over a connection that somebody made before, TLS writes below the socket that was watched.
        this.#listen(at, "_start", (_, socket) => {
          const below: unknown = Reflect.get(socket, "_parent");
          return isObject(below) ? (this.#places.get(below) ?? null) : null;
        });
      }
    }
  }

  #listen(prototype: object, method: string, read: (args: readonly unknown[], socket: object) => Place | null): void {
    const watch = this;
    this.#patches.apply(prototype, method, (original) => {
      return function listening(this: unknown, ...args: unknown[]): unknown {
        if (watch.#patches.live && isObject(this)) {
          quietly(() => {
            const place = read(args, this);
            if (place !== null) watch.#watch(this, place);
          });
        }
        return original.apply(this, args);
      };
    });
  }

  /** Puts a look in front of the first write. */
  #watch(socket: object, place: Place): void {
    const { host, port } = place;
    const hostname = host.toLowerCase();
    if (Object.hasOwn(socket, WRITE) || this.#gatekeeper.concerns(hostname, port, "POST", "/") === null) return;
    this.#connecting();
    this.#places.set(socket, place);
    const write: unknown = Reflect.get(socket, WRITE);
    if (typeof write !== "function" || isExempt()) return;
    const look = (): Error | null => {
      Reflect.deleteProperty(socket, WRITE);
      if (!this.#patches.live || hasClient(socket)) return null;
      return this.#gatekeeper.unseen({ transport: "socket", hostname, port, method: null, path: null, sent: false });
    };
    const first: Method = function first(this: unknown, ...args) {
      let error: Error | null = null;
      quietly(() => {
        error = look();
      });
      const callback = args[3];
      if (error !== null && typeof callback === "function") return Reflect.apply(callback, undefined, [error]);
      return Reflect.apply(write, this, args);
    };
    Object.defineProperty(socket, WRITE, { value: first, configurable: true, writable: true });
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** The forms of `connect`: options, port and host, or both as node:net has put them in order. */
function placeOf([first, second]: readonly unknown[]): Place | null {
  const given: unknown = Array.isArray(first) ? first[0] : first;
  const options = isObject(given) ? given : { port: given, host: second };
  const [port, host] = [
    Number(Reflect.get(options, "port")),
    Reflect.get(options, "servername") || Reflect.get(options, "host"),
  ];
  if (!Number.isInteger(port) || port <= 0) return null;
  return { host: typeof host === "string" && host !== "" ? host : "localhost", port };
}

/**
 * True for a socket that an HTTP client writes to: node:http marks it with the request, and undici keeps its parser on it
 * (under a symbol of this name in 5 to 8). node:http2 and TLS write below the socket.
 */
function hasClient(socket: object): boolean {
  if (isObject(Reflect.get(socket, "_httpMessage"))) return true;
  return Object.getOwnPropertySymbols(socket).some(
    (symbol) => symbol.description === "parser" && isObject(Reflect.get(socket, symbol)),
  );
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
