import type { Context, Span } from "@opentelemetry/api";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Api, ApiSource } from "./api.ts";
import { Autostart } from "./autostart.ts";
import { enrichedSpan, inferenceSpan } from "./enrich.ts";
import { laterSpan } from "./later-span.ts";
import type { Log } from "./log.ts";
import type { Observation } from "./observation.ts";
import { policySpan } from "./policy-span.ts";
import { ownSpan, unseen } from "./span.ts";
import type { Arrival, Decided, Later, PolicyEvent, Sight, Telemetry, Unseen } from "./telemetry.ts";
import { unseenSpan } from "./unseen-span.ts";

export interface SpansOptions {
  readonly config: Pick<Config, "otel" | "telemetry" | "baggage">;
  /** Folders of the application. */
  readonly folders: readonly string[];
  readonly source: ApiSource;
  /** Whether an SDK is started where the application has none and someone asks for spans. */
  readonly autostart: boolean;
  readonly log: Log;
  readonly clock: Clock;
  /** Version of this package: that of the instrumentation scope. */
  readonly version: string;
  readonly safely: Safely;
}

/** Runs `fn`; telemetry must never be the reason that a call fails, so an error is noted once and `otherwise` returned. */
export type Safely = <T>(what: string, otherwise: T, fn: () => T) => T;

/** The spans of a process. */
export interface Spans extends Omit<Telemetry, "policy"> {
  policy(event: PolicyEvent): void;
  /** Whether no other instrumentation has a span for the inference that arrived. */
  isOwn(arrival: Arrival): boolean;
}

const NO_BAGGAGE: Readonly<Record<string, string>> = Object.freeze({});

/** Spans through whatever OpenTelemetry SDK the process has; without one it costs two property reads a call. */
export function createSpans(options: SpansOptions): Spans {
  const { config, log, clock, folders, source, safely } = options;
  /** A policy that was not taken up before anyone could record it. */
  let untold: { readonly event: PolicyEvent; readonly at: number } | null = null;

  const arrive = (): Arrival => {
    const at = clock();
    const nothing: Arrival = Object.freeze({ at, traceId: null, baggage: NO_BAGGAGE, context: null });
    if (config.otel === "off") return nothing;
    return safely("a span could not be prepared", nothing, () => {
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
    if (untold !== null) policySpan(api, tracer, untold.event, untold.at);
    untold = null;
    const scene = { ...observation, api, tracer, context, conventions: config.telemetry.cost };
    const theirs = inferenceSpan(api, context);
    if (theirs !== null) return enrichedSpan(scene, theirs);
    const sight = ownSpan(scene);
    if (autostart === null || !isSampled(api, sight.span)) return sight;
    const delivered = autostart.watch(observation, sight.span, api.trace.getSpanContext(context)?.spanId ?? null);
    return {
      run: sight.run,
      place: () => sight.place?.() ?? null,
      end: (ended) => {
        sight.end(ended);
        delivered(ended);
      },
    };
  };

  const autostart =
    config.otel === "auto" && options.autostart
      ? new Autostart({
          log,
          folders,
          conventions: config.telemetry.cost,
          version: options.version,
          provider: () => source.provider(),
          meters: () => source.meters(),
          see: (observation) => safely("a span could not be started", unseen, () => guarded(see(observation))),
        })
      : null;

  const begin = (arrival: Arrival, decided: Decided): Sight => {
    if (config.otel === "off") return unseen;
    return safely("a span could not be started", unseen, () => {
      const observation = { arrival, decided, decidedAt: clock() };
      if (source.provider() === null) return autostart?.hold(observation) ?? unseen;
      autostart?.yieldTo();
      return guarded(see(observation));
    });
  };

  const guarded = (sight: Sight): Sight => ({
    run: (fn) => sight.run(fn),
    place: () => safely("a span could not be found", null, () => sight.place?.() ?? null),
    end: (ended) => safely("a span could not be ended", undefined, () => sight.end(ended)),
  });

  const policy = (event: PolicyEvent): void => {
    if (config.otel === "off" || event.kind === "reloaded") return;
    safely("a span could not be started", undefined, () => {
      const [api, provider] = [source.current(), source.provider()];
      if (api === null || provider === null) untold = { event, at: clock() };
      else policySpan(api, provider.getTracer("budget-guard", options.version), event, clock());
    });
  };

  const tell = (arrival: Arrival, event: Unseen): void => {
    if (config.otel === "off") return;
    safely("a span could not be started", undefined, () => {
      const [api, provider] = [source.current(), source.provider()];
      if (api === null || provider === null) return;
      unseenSpan(api, provider.getTracer("budget-guard", options.version), arrival, event);
    });
  };

  const later = (told: Later): void => {
    if (config.otel === "off") return;
    safely("a span could not be started", undefined, () => {
      const [api, provider] = [source.current(), source.provider()];
      if (api === null || provider === null) return;
      const tracer = provider.getTracer("budget-guard", options.version);
      laterSpan(api, tracer, told, clock(), config.telemetry.cost);
    });
  };

  const isOwn = ({ context }: Arrival): boolean => {
    const api = context === null ? null : source.current();
    return api === null || source.provider() === null || inferenceSpan(api, context as Context) === null;
  };

  return Object.freeze({ arrive, begin, later, unseen: tell, policy, isOwn, flush: async () => autostart?.flush() });
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
