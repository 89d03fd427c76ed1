import type { MeterProvider, Span, TracerProvider } from "@opentelemetry/api";
import type { CostConvention } from "../config.ts";
import { hasProvider } from "./api.ts";
import { Delivery, flushProvider } from "./delivery.ts";
import { onEnding } from "./ending.ts";
import { speakLast } from "./last-words.ts";
import type { Log } from "./log.ts";
import { type Account, HeldSight, type Observation } from "./observation.ts";
import { askedBy, startSdk } from "./sdk.ts";
import { unseen } from "./span.ts";
import type { Ended, Sight } from "./telemetry.ts";

/** How long after the first call an application may still register an SDK of its own, ms. */
const GRACE = 1_000;

/** Calls that are remembered until there is an SDK. */
const MAX_HELD = 1_000;

export interface AutostartOptions {
  readonly log: Log;
  /** Folders of the application. */
  readonly folders: readonly string[];
  readonly conventions: readonly CostConvention[];
  readonly version: string;
  /** Makes a span through the provider that is registered by then. */
  readonly see: (observation: Observation) => Sight;
  readonly provider: () => TracerProvider | null;
  readonly meters: () => MeterProvider | null;
}

/**
 *     idle ── first call ──▶ waiting ── grace is over, or the process ends ──▶ running   our SDK is up
 *                               │                                          └──▶ hopeless  there is none
 *                               └── the application registers its own ──▶ yielded
 *
 * While waiting, calls are held and become spans with their original times. Loading an SDK takes half a second, so it
 * never happens before the first call has been let go.
 */
export class Autostart {
  readonly #options: AutostartOptions;
  #state: "idle" | "waiting" | "running" | "yielded" | "hopeless" = "idle";
  #held: HeldSight[] = [];
  #delivery: Delivery | null = null;
  #grace: NodeJS.Timeout | null = null;
  #stopListening: (() => void) | null = null;
  /** Whether anything happened since the process was last at rest. */
  #stirred = false;

  constructor(options: AutostartOptions) {
    this.#options = options;
  }

  /** Keeps a call that begins while no SDK is registered. */
  hold(observation: Observation): Sight {
    if (this.#state === "idle") this.#arm();
    if (this.#state !== "waiting") return unseen;
    if (this.#held.length >= MAX_HELD) {
      this.#options.log.once(
        "telemetry.held",
        "warn",
        `more than ${MAX_HELD} calls before tracing began: not all get spans.`,
      );
      return unseen;
    }
    this.#stirred = true;
    const sight = new HeldSight(observation);
    this.#held.push(sight);
    return sight;
  }

  /** The application has registered an SDK of its own: the held calls go there. */
  yieldTo(): void {
    if (this.#state === "idle") this.#state = "yielded";
    if (this.#state === "waiting") this.#settle();
  }

  /** Sees to the delivery of a span, where the SDK is ours; what it returns is told of the bill. */
  watch(observation: Observation, span: Span, parentSpanId: string | null): (ended: Ended) => void {
    this.#stirred = true;
    if (this.#delivery === null) return () => {};
    const { traceId, spanId } = span.spanContext();
    return this.#delivery.watch(observation, { traceId, spanId, parentSpanId });
  }

  /** Starts what is still to be started, and delivers. Never rejects. */
  async flush(): Promise<void> {
    if (this.#state === "waiting") this.#settle();
    await this.#delivery?.flush();
    // Metrics leave once a minute, and most processes that we start an SDK for are over by then.
    const meters = this.#state === "running" ? this.#options.meters() : null;
    if (meters !== null) await flushProvider(meters).catch(() => {});
  }

  #arm(): void {
    if (askedBy(process.env) === null) {
      this.#state = "hopeless";
      return;
    }
    this.#state = "waiting";
    this.#grace = setTimeout(() => this.#settle(), GRACE).unref();
    this.#stopListening = onEnding({
      atRest: () => void this.#atRest(),
      onSignal: () => this.flush(),
      atExit: () => this.#atExit(),
    });
  }

  #settle(): void {
    if (this.#grace !== null) clearTimeout(this.#grace);
    const { folders, log, see, provider } = this.#options;
    const held = this.#held;
    this.#held = [];
    if (hasProvider()) {
      this.#state = "yielded";
      this.#stopListening?.();
    } else if (startSdk({ folders, log, instrument: true })) {
      this.#state = "running";
      const ours = provider();
      if (ours !== null) this.#delivery = new Delivery(ours, log);
    } else {
      this.#state = "hopeless";
      this.#stopListening?.();
      return;
    }
    for (const sight of held) sight.become(see);
    // An application that is nearly done may not wait for what its SDK has just been given.
    if (this.#state === "yielded" && held.length > 0) void this.#flushTheirs();
  }

  async #atRest(): Promise<void> {
    if (!this.#stirred) return;
    this.#stirred = false;
    await this.flush();
    // An SDK that the application registered may have said its goodbye before it got what we held.
    if (this.#state === "yielded") await this.#flushTheirs();
  }

  async #flushTheirs(): Promise<void> {
    const provider = this.#options.provider();
    if (provider !== null) await flushProvider(provider).catch(() => {});
  }

  #atExit(): void {
    const accounts =
      this.#state === "waiting"
        ? this.#held.map((sight) => sight.account()).filter((account): account is Account => account !== null)
        : (this.#delivery?.leftovers() ?? []);
    if (accounts.length === 0) return;
    const { folders, conventions, version, log } = this.#options;
    if (!speakLast({ accounts, folders, conventions, version })) {
      log.warn(`the last ${accounts.length} spans of this process could not be delivered.`);
    }
  }
}
