/**
 * Saying so: one span per attempt, or attributes on the span that another GenAI instrumentation made; metrics; a line in
 * the audit log. In: a call, its verdict, its bill. Out: spans and metrics through the application's OpenTelemetry SDK.
 * Never prompts, keys or headers.
 * @module
 */
import type { Bill, Call, Outcome } from "../call/call.ts";
import type { Fired, Verdict } from "../policy/verdict.ts";

/** What is known when a request arrives, captured synchronously in the caller's async context. */
export interface Arrival {
  /** ms since 1970; spans begin here although they are made after the decision. */
  readonly at: number;
  /** The trace that is active, null where none is. The default run of the call. */
  readonly traceId: string | null;
  /** Allow-listed baggage entries only. */
  readonly baggage: Readonly<Record<string, string>>;
  /** OpenTelemetry's context; opaque to everyone else. */
  readonly context: unknown;
}

/** Everything that was decided about a call. */
export interface Decided {
  readonly call: Call;
  readonly verdict: Verdict;
  /** The cap that reshaped the request, null where none did. */
  readonly cap: { readonly tokens: number; readonly fired: readonly Fired[] } | null;
  /** The route that replaced the model, null where none did. Models as sent. */
  readonly route: { readonly from: string; readonly to: string; readonly fired: readonly Fired[] } | null;
  /** Rules that would have shaped the request and could not, with the reason for people: `the request is signed`. */
  readonly unshaped: readonly { readonly fired: Fired; readonly why: string }[];
  /** How long `hold` and `backoff` made the call wait, seconds; null where none did. */
  readonly waited: { readonly hold: number; readonly backoff: number } | null;
  readonly mode: "enforce" | "shadow";
  /** True where the caller got a refusal; false in shadow mode whatever the verdict. */
  readonly refused: boolean;
  readonly store: { readonly kind: "memory" | "file" | "redis"; readonly degraded: boolean };
  /** How long the decision took, seconds; `waited` is not in it. */
  readonly checkSeconds: number;
  /** 0 for a first attempt. */
  readonly attemptNumber: number;
  readonly repeat: boolean;
  /** What the run stood at, this call counted in and its cost not yet; null where the policy does not count it. */
  readonly run: { readonly calls: number | null; readonly cost: number | null };
  /** Ids of the rules whose filter matched. */
  readonly matched: readonly string[];
  readonly policy: { readonly files: readonly string[]; readonly hash: string };
  readonly priceTable: string;
}

export interface Ended {
  readonly bill: Bill;
  readonly outcome: Outcome;
  /** ms since 1970 of the first body byte, null where none came. */
  readonly firstByteAt: number | null;
  readonly endedAt: number;
  /** The provider's name for work that goes on after the answer; what it costs is told when that ends, and not here. */
  readonly work?: string;
  /** True where this attempt was a retry or ended in an error: money that bought nothing. */
  readonly wasted: boolean;
}

/** Where a span is, so that another one, maybe of another process, can point at it. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** Work that went on after its call was answered, and has ended: told once, by the process whose settlement was the first. */
export interface Later {
  /** The call that began it. */
  readonly call: Call;
  /** The provider's name for it. */
  readonly work: string;
  readonly bill: Bill;
  /** When the call was judged, ms since 1970. */
  readonly judgedAt: number;
  /** The span of that call, null where it has none. */
  readonly began: SpanPlace | null;
}

/** One attempt being watched. `end` is called at most once; never for a refused call, whose span has ended already. */
export interface Sight {
  /** Runs the request so that spans made below become children of ours. */
  run<T>(fn: () => T): T;
  end(ended: Ended): void;
  /** Where the span of this attempt is; null where there is none. */
  place?(): SpanPlace | null;
}

/** A policy that has changed while the process ran. */
export interface PolicyEvent {
  /** `kept`: the new text is broken, and the last good policy stays in force. */
  readonly kind: "reloaded" | "kept";
  /** Of the policy in force from now on. */
  readonly files: readonly string[];
  readonly hash: string;
  readonly rules: number;
  /** Errors of the text that was not taken; 0 where it was. */
  readonly diagnostics: number;
}

/** A request to a provider that no hook could hold back: neither judged nor charged. */
export interface Unseen {
  readonly provider: string;
  readonly host: string;
  readonly port: number;
  readonly transport: "undici" | "http" | "http2" | "socket";
  /** Whether its first bytes may have left before it was seen. */
  readonly sent: boolean;
  readonly refused: boolean;
  /** The rule that refused it. */
  readonly rule: string | null;
}

export interface Telemetry {
  arrive(): Arrival;
  begin(arrival: Arrival, decided: Decided): Sight;
  /** Tells what work cost that went on after its call was answered. */
  later(later: Later): void;
  /** Tells of a request that nobody could judge. */
  unseen(arrival: Arrival, unseen: Unseen): void;
  /** Says what became of a changed policy. */
  policy(event: PolicyEvent): void;
  /** Delivers what an SDK that we started still holds; a no-op for the application's own SDK. */
  flush(): Promise<void>;
}
