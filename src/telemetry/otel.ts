import type { Context, TracerProvider } from "@opentelemetry/api";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { type Api, type ApiSource, apiSource } from "./api.ts";
import { enrichedSpan, inferenceSpan } from "./enrich.ts";
import type { Log } from "./log.ts";
import { ownSpan, unseen } from "./span.ts";
import type { Arrival, Decided, Sight, Telemetry } from "./telemetry.ts";

export interface TelemetryOptions {
  readonly config: Pick<Config, "otel" | "telemetry" | "baggage" | "root">;
  readonly log: Log;
  readonly clock: Clock;
  /** Version of this package: that of the instrumentation scope. */
  readonly version: string;
  /** A source with a provider of its own, instead of what is registered in the process. */
  readonly source?: ApiSource;
}

const NO_BAGGAGE: Readonly<Record<string, string>> = Object.freeze({});

/** Spans through whatever OpenTelemetry SDK the process has; without one it costs two property reads a call. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { config, log, clock } = options;
  const source = options.source ?? apiSource([config.root, process.cwd()], log);

  /** Telemetry must never be the reason that a call fails: a broken exporter or processor is noted, once. */
  const safely = <T>(what: string, otherwise: T, fn: () => T): T => {
    try {
      return fn();
    } catch (error) {
      log.once(`telemetry.${what}`, "warn", `a span could not be ${what}: ${String(error)}`);
      return otherwise;
    }
  };

  const arrive = (): Arrival => {
    const at = clock();
    const nothing: Arrival = Object.freeze({ at, traceId: null, baggage: NO_BAGGAGE, context: null });
    if (config.otel === "off") return nothing;
    return safely("prepared", nothing, () => {
      const api = source.current();
      return api === null ? nothing : arrivalIn(api, at, config.baggage);
    });
  };

  const begin = (arrival: Arrival, decided: Decided): Sight => {
    if (config.otel === "off") return unseen;
    return safely("started", unseen, () => {
      const provider = source.provider();
      return provider === null ? unseen : guarded(see(arrival, decided, provider, clock()));
    });
  };

  const see = (arrival: Arrival, decided: Decided, provider: TracerProvider, decidedAt: number): Sight => {
    const api = source.current();
    if (api === null) return unseen;
    const context = (arrival.context as Context | null) ?? api.ROOT_CONTEXT;
    const tracer = provider.getTracer("budget-guard", options.version);
    const conventions = config.telemetry.cost;
    const scene = { api, tracer, context, arrival, decided, decidedAt, conventions };
    const parent = inferenceSpan(api, context);
    return parent === null ? ownSpan(scene) : enrichedSpan(scene, parent);
  };

  const guarded = (sight: Sight): Sight => ({
    run: (fn) => sight.run(fn),
    end: (ended) => safely("ended", undefined, () => sight.end(ended)),
  });

  return Object.freeze({ arrive, begin, flush: async () => {} });
}

function arrivalIn(api: Api, at: number, keys: readonly string[]): Arrival {
  const context = api.context.active();
  const active = api.trace.getSpanContext(context);
  return Object.freeze({
    at,
    traceId: active !== undefined && api.isSpanContextValid(active) ? active.traceId : null,
    baggage: keys.length === 0 ? NO_BAGGAGE : allowedBaggage(api, context, keys),
    context,
  });
}

function allowedBaggage(api: Api, context: Context, keys: readonly string[]): Readonly<Record<string, string>> {
  const baggage = api.propagation.getBaggage(context);
  const found: Record<string, string> = {};
  for (const key of keys) {
    const entry = baggage?.getEntry(key);
    if (entry !== undefined) found[key] = entry.value;
  }
  return Object.freeze(found);
}
