/**
 * What all hooks share: a request that is leaving, what is decided about it, and its response as it passes.
 * In: a request at the lowest layer of a client. Out: the same request on its way, or an answer in its place.
 * The hooks know nothing of policies and stores; they are given a `Gatekeeper`.
 * @module
 */

/** A request about to leave. Header names are lower case; a repeated header is joined with `, `. */
export interface Departure {
  readonly transport: "undici" | "http" | "http2";
  readonly protocol: "http:" | "https:";
  /** Without port, lower case: `api.openai.com`. */
  readonly hostname: string;
  readonly port: number;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whole body; empty where there is none, null where it cannot be read without harm (multipart, upgrade, endless). */
  readonly body: Buffer | null;
  /**
   * What had come of a body that is not read whole: a form with files up to its `model` field, or as much of any other as
   * the limits allow. Only where `body` is null, and there only where anything had come.
   */
  readonly bodyStart?: Buffer;
}

/** A refusal as an HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Why a response did not end well. */
export interface Failure {
  readonly kind: "abort" | "timeout" | "network";
  readonly code: string;
  /** True where surely no byte of the request was sent: its caller gave up, or time ran out, while it had no connection. */
  readonly unsent?: true;
}

/** Told of the response as it passes, after the caller was. Never throws. Exactly one of `end` and `fail` is called, once. */
export interface Tap {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  chunk(bytes: Uint8Array): void;
  end(): void;
  fail(failure: Failure): void;
  /** The answer was `101` to a WebSocket. Given back: who follows it, in the place of all else that the tap would be told. */
  upgrade?(headers: Readonly<Record<string, string>>, line: Line): Session | null;
}

/** A WebSocket in the hands of whoever follows it. */
export interface Line {
  /**
   * Closes it as the server would: the client hears the code and the reason, of 123 bytes at most, after a message with
   * `lastWords` where one can stand.
   */
  close(code: number, reason: string, lastWords: string | null): void;
}

/** Told of a WebSocket's messages as they pass, each whole, after the caller was. Never throws. */
export interface Session {
  /** Whether messages of this side that begin now are of interest. */
  wants(from: "client" | "server"): boolean;
  /** A message that begins like JSON. */
  message(from: "client" | "server", bytes: Buffer): void;
  /** Nothing more can be read of one of the sides. */
  unreadable(): void;
  /** The connection is closed; null where it was closed by a close frame. Called once. */
  end(failure: Failure | null): void;
}

export type Passage =
  | {
      readonly kind: "go";
      /** A new body where the request was reshaped, else null: send the bytes as they came. */
      readonly body: Buffer | null;
      /** A new address, with query, where the request was reshaped; only for a request whose body was seen. */
      readonly path?: string;
      /** Headers that must not leave (`x-budget-*`), lower case. */
      readonly removeHeaders: readonly string[];
      readonly tap: Tap;
      /** Runs the rest of the request, so that spans made below become children of the guard's own. */
      readonly run: <T>(fn: () => T) => T;
    }
  | { readonly kind: "refuse"; readonly answer: Answer }
  | { readonly kind: "throw"; readonly error: Error };

/** A request to a provider that no hook could hold back. */
export interface Sighting {
  readonly transport: Departure["transport"] | "socket";
  readonly hostname: string;
  readonly port: number;
  /** Null on a bare socket, whose bytes nobody has read. */
  readonly method: string | null;
  readonly path: string | null;
  /** True where its first bytes may have left already. */
  readonly sent: boolean;
}

export interface Gatekeeper {
  /**
   * Synchronous, well under a microsecond for a host that is no provider: must this request be decided on?
   * `body`: whether the decision wants to see the body.
   */
  concerns(hostname: string, port: number, method: string, path: string): { readonly body: boolean } | null;
  /** Never rejects. When `signal` fires the answer no longer matters, and whatever was held is released. */
  decide(departure: Departure, signal: AbortSignal): Promise<Passage>;
  /** Never throws. What to break a request off with that cannot be held; null lets it go. */
  unseen(sighting: Sighting): Error | null;
}
