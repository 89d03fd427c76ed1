import { dirname, resolve } from "node:path";
import type { Context, Span } from "@opentelemetry/api";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { type Api, type ApiSource, apiSource } from "./api.ts";
import { Autostart } from "./autostart.ts";
import { enrichedSpan, inferenceSpan } from "./enrich.ts";
import type { Log } from "./log.ts";
import type { Observation } from "./observation.ts";
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
  const folders = [config.root, process.cwd(), dirname(resolve(process.argv[1] ?? "."))];
  const source = options.source ?? apiSource(folders, log);

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

  const see = (observation: Observation): Sight => {
    const api = source.current();
    const provider = source.provider();
    if (api === null || provider === null) return unseen;
    const context = (observation.arrival.context as Context | null) ?? api.ROOT_CONTEXT;
    const tracer = provider.getTracer("budget-guard", options.version);
    const scene = { ...observation, api, tracer, context, conventions: config.telemetry.cost };
    const theirs = inferenceSpan(api, context);
    if (theirs !== null) return enrichedSpan(scene, theirs);
    const sight = ownSpan(scene);
    if (autostart === null || !isSampled(api, sight.span)) return sight;
    const delivered = autostart.watch(observation, sight.span, api.trace.getSpanContext(context)?.spanId ?? null);
    return {
      run: sight.run,
      end: (ended) => {
        sight.end(ended);
        delivered(ended);
      },
    };
  };

  const autostart =
    config.otel === "auto" && options.source === undefined
      ? new Autostart({
          log,
          folders,
          conventions: config.telemetry.cost,
          version: options.version,
          provider: () => source.provider(),
          see: (observation) => safely("started", unseen, () => guarded(see(observation))),
        })
      : null;

  const begin = (arrival: Arrival, decided: Decided): Sight => {
    if (config.otel === "off") return unseen;
    return safely("started", unseen, () => {
      const observation = { arrival, decided, decidedAt: clock() };
      if (source.provider() === null) return autostart?.hold(observation) ?? unseen;
      autostart?.yieldTo();
      return guarded(see(observation));
    });
  };

  const guarded = (sight: Sight): Sight => ({
    run: (fn) => sight.run(fn),
    end: (ended) => safely("ended", undefined, () => sight.end(ended)),
  });

  return Object.freeze({ arrive, begin, policy() {}, flush: async () => autostart?.flush() });
}

function isSampled(api: Api, span: Span): boolean {
  return (span.spanContext().traceFlags & api.TraceFlags.SAMPLED) !== 0;
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
