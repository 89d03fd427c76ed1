import { createRequire } from "node:module";
import { join } from "node:path";
import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import type { Log } from "./log.ts";

export type Api = typeof import("@opentelemetry/api");

/** Where every copy of `@opentelemetry/api` 1.x keeps what was registered (its `internal/global-utils`). */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

interface Registry {
  readonly trace?: { readonly getDelegate?: () => unknown };
  readonly metrics?: MeterProvider;
}

/** The OpenTelemetry API as this process has it. */
export interface ApiSource {
  /** Null while nobody has registered anything, so that a process without OpenTelemetry never loads it; and where it is not installed. */
  current(): Api | null;
  /** The tracer provider that someone registered, null where none is real. */
  provider(): TracerProvider | null;
  /** The meter provider that someone registered, null where none is: unlike spans, early metrics have no stand-in. */
  meters(): MeterProvider | null;
}

/**
 * Finds the API lazily: our own copy, else the application's. A copy older than the one that registered works, a newer
 * one is blind (its version check turns every span into nothing), so the first copy that sees what is registered is taken.
 */
export function apiSource(folders: readonly string[], log: Log): ApiSource {
  let found: { readonly api: Api; readonly trace: unknown } | null = null;
  let missing = false;

  const current = (): Api | null => {
    const registry = registered();
    if (registry === null || missing) return null;
    if (found !== null && found.trace === registry.trace) return found.api;
    const copies = requirers(folders).flatMap((require) => load(require));
    const api = copies.find((copy) => sees(copy, registry)) ?? copies[0];
    if (api === undefined) {
      missing = true;
      log.info(
        "@opentelemetry/api is not installed, so no spans are made. To see decisions: npm install @opentelemetry/api",
      );
      return null;
    }
    if (!sees(api, registry)) {
      log.once(
        "api.blind",
        "warn",
        "an older @opentelemetry/api is registered than the one found: no spans are made. Align the two versions.",
      );
    }
    found = { api, trace: registry.trace };
    return api;
  };

  return {
    current,
    provider: () => {
      if (!isReal(registered()?.trace)) return null;
      return current()?.trace.getTracerProvider() ?? null;
    },
    // As registered: it has no version to check and no copy of the API to find.
    meters: () => registered()?.metrics ?? null,
  };
}

/** A source with a provider of its own, whatever is registered: for tests that run side by side. */
export function fixedSource(api: Api, provider: TracerProvider, meters: MeterProvider | null = null): ApiSource {
  return { current: () => api, provider: () => provider, meters: () => meters };
}

/** Ways to load a package: as the application would, from its folders, and as we would. */
export function requirers(folders: readonly string[]): readonly NodeJS.Require[] {
  return [createRequire(import.meta.url), ...folders.map((folder) => createRequire(join(folder, "noop.js")))];
}

/** Whether a provider that makes spans is registered. */
export function hasProvider(): boolean {
  return isReal(registered()?.trace);
}

function registered(): Registry | null {
  return (globalThis as { [REGISTRY]?: Registry })[REGISTRY] ?? null;
}

/** A registered proxy without a delegate answers with the API's no-op. */
function isReal(trace: Registry["trace"]): boolean {
  if (trace === undefined) return false;
  const delegate = trace.getDelegate?.() ?? trace;
  return delegate.constructor.name !== "NoopTracerProvider";
}

function sees(api: Api, registry: Registry): boolean {
  return registry.trace === undefined || api.trace.getTracerProvider() === registry.trace;
}

function load(require: NodeJS.Require): readonly Api[] {
  try {
    return [require("@opentelemetry/api") as Api];
  } catch {
    return [];
  }
}
