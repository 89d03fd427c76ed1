import { channel } from "node:diagnostics_channel";
import type { Attributes } from "@opentelemetry/api";
import { hasProvider, requirers } from "./api.ts";
import type { Log } from "./log.ts";
import { redactQuery } from "./redact.ts";

type Env = Record<string, string | undefined>;

/** The part of `@opentelemetry/sdk-node` that both majors (0.2xx and 0.30x) share. */
interface SdkModule {
  readonly NodeSDK: new (options: {
    instrumentations: readonly unknown[];
    idGenerator?: IdGenerator;
  }) => {
    start(): void;
  };
}

interface UndiciModule {
  readonly UndiciInstrumentation: new (options: { startSpanHook: (request: UndiciRequest) => Attributes }) => unknown;
}

interface UndiciRequest {
  readonly origin: string;
  readonly path: string;
}

export interface IdGenerator {
  generateTraceId(): string;
  generateSpanId(): string;
}

/** Variables by which someone asks for traces. */
const ASKING = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"] as const;

/**
 * What the SDK reads from the environment while it starts, where the user set nothing: traces only; no process
 * detector, since command lines hold keys; an unreachable collector must not hold up the end of the process for long.
 */
const SETTINGS = {
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_NODE_RESOURCE_DETECTORS: "env,host",
  OTEL_EXPORTER_OTLP_TIMEOUT: "3000",
  OTEL_BSP_SCHEDULE_DELAY: "1000",
} as const;

/** The variable that asks for traces, null where none does or they are switched off. */
export function askedBy(env: Env): string | null {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return null;
  if (env.OTEL_TRACES_EXPORTER?.trim() === "none") return null;
  return ASKING.find((name) => (env[name]?.trim() ?? "") !== "") ?? null;
}

export interface SdkWishes {
  /** Folders of the application: its packages go before ours. */
  readonly folders: readonly string[];
  readonly log: Log;
  /** Whether outgoing requests get spans too, if nobody makes them yet. */
  readonly instrument: boolean;
  readonly idGenerator?: IdGenerator;
}

/** Starts the SDK as the environment configures it; false, with one line that says what to do, where it cannot. */
export function startSdk(wishes: SdkWishes): boolean {
  const { log, folders, idGenerator } = wishes;
  try {
    const sdk = find("@opentelemetry/sdk-node", folders) as SdkModule | null;
    if (sdk === null) {
      log.warn(
        `${askedBy(process.env) ?? ASKING[0]} is set, but no OpenTelemetry SDK runs and @opentelemetry/sdk-node is not installed: ` +
          "no traces. To see decisions: npm install @opentelemetry/sdk-node @opentelemetry/instrumentation-undici",
      );
      return false;
    }
    const instrumentations = wishes.instrument ? undiciInstrumentation(folders, log) : [];
    const options = idGenerator === undefined ? { instrumentations } : { instrumentations, idGenerator };
    withDefaults(SETTINGS, process.env, () => new sdk.NodeSDK(options).start());
  } catch (error) {
    log.warn(`the OpenTelemetry SDK did not start, so there are no traces: ${String(error)}`);
    return false;
  }
  if (!hasProvider()) log.warn("the OpenTelemetry SDK started without a traces exporter: check OTEL_TRACES_EXPORTER.");
  return hasProvider();
}

/** Someone who already traces undici, be it another vendor's agent, is left alone: two would double every span. */
function undiciInstrumentation(folders: readonly string[], log: Log): readonly unknown[] {
  if (isTraced("undici:request:create")) return [];
  const found = find("@opentelemetry/instrumentation-undici", folders) as UndiciModule | null;
  if (found === null) {
    log.info("for spans of the HTTP requests below each call: npm install @opentelemetry/instrumentation-undici");
    return [];
  }
  return [new found.UndiciInstrumentation({ startSpanHook: withoutSecrets })];
}

/** Where the safety net of the hooks leaves its own subscriber. */
const OURS = Symbol.for("budget-guard.subscriber");

/** Whether anybody but the guard listens. */
function isTraced(name: string): boolean {
  const found = channel(name);
  const ours: unknown = Reflect.get(found, OURS);
  if (typeof ours !== "function") return found.hasSubscribers;
  const listener = ours as Parameters<typeof found.subscribe>[0];
  found.unsubscribe(listener);
  const traced = found.hasSubscribers;
  found.subscribe(listener);
  return traced;
}

/** Attributes that replace the instrumentation's own, whose `url.full` has the whole query. */
function withoutSecrets(request: UndiciRequest): Attributes {
  const at = request.path.indexOf("?");
  const query = at < 0 ? "" : request.path.slice(at);
  const redacted = redactQuery(query);
  if (redacted === query) return {};
  return { "url.full": `${request.origin}${request.path.slice(0, at)}${redacted}`, "url.query": redacted };
}

function find(name: string, folders: readonly string[]): unknown {
  const [ours, ...theirs] = requirers(folders);
  for (const require of [...theirs, ...(ours === undefined ? [] : [ours])]) {
    let path: string;
    try {
      path = require.resolve(name);
    } catch {
      continue;
    }
    return require(path);
  }
  return null;
}

/** Runs `fn`, which must be synchronous, with settings that nobody made; afterwards the environment is as before. */
function withDefaults(settings: Readonly<Record<string, string>>, env: Env, fn: () => void): void {
  const added = Object.keys(settings).filter((name) => (env[name] ?? "") === "");
  const before = added.map((name) => [name, env[name]] as const);
  for (const name of added) env[name] = settings[name];
  try {
    fn();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete env[name];
      else env[name] = value;
    }
  }
}
