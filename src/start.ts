/**
 * Puts the guard together and in front of everything, synchronously, before user code runs. What a process may never
 * need (prices, stores, telemetry SDKs) is loaded with its first provider call.
 * @module
 */
import { randomUUID } from "node:crypto";
import { hostsFromEnvironment } from "./call/hosts.ts";
import { loadPrices, type Prices } from "./call/price.ts";
import { recogniser } from "./call/recognise.ts";
import { now } from "./clock.ts";
import { type Config, readConfig, unknownVariables, variables } from "./config.ts";
import { deliverBeforeExit } from "./ending.ts";
import { ConfigError, PolicyError } from "./errors.ts";
import { createGuard } from "./guard.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { followChildren } from "./hook/children.ts";
import { install } from "./hook/install.ts";
import { watchIncoming } from "./incoming.ts";
import { teacher } from "./learned.ts";
import type { Plan } from "./policy/plan.ts";
import { closest } from "./policy/suggest.ts";
import { propagate } from "./propagation.ts";
import { livePolicy } from "./reloading.ts";
import { readAgain, readFirst } from "./rereading.ts";
import { share, shared } from "./shared.ts";
import { type FallbackStore, withFallback } from "./store/fallback.ts";
import { describeStore, openStore } from "./store/open.ts";
import { createLog, type Log } from "./telemetry/log.ts";
import { createTelemetry } from "./telemetry/otel.ts";
import { version } from "./version.ts";

/** `EX_CONFIG` of sysexits.h: a guard with broken settings must not be a process without a guard. */
const BAD_CONFIGURATION = 78;

/** Starts the guard once per process; ends the process with every diagnostic where settings or policy are broken. */
export function start(): void {
  if (shared() !== null) return;
  try {
    if (!canBeRequired()) throw new ConfigError(TOO_OLD);
    const config = readConfig(process.env, workingFolder());
    const log = createLog(config.log);
    for (const name of unknownVariables(process.env)) log.warn(misspelt(name));
    if (config.mode === "off") {
      share({ version: version(), ledger: null, flush: async () => {} });
      log.info("off: no call is looked at (BUDGET_GUARD_MODE=off)");
      return;
    }
    begin(config, log);
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof PolicyError)) throw error;
    const text = error instanceof PolicyError ? `${error.message}\n\n${error.diagnostics}\n` : error.message;
    createLog("error").error(text);
    process.exit(BAD_CONFIGURATION);
  }
}

/** Children are given the guard by `--require`, which loads ES modules from Node 20.19 and 22.12 on. */
const canBeRequired = (): boolean => Reflect.get(process.features, "require_module") === true;

const TOO_OLD =
  `this is Node ${process.versions.node}, and budget-guard needs Node 20.19, or 22.12 or newer ` +
  "(and require(esm), which --no-experimental-require-module takes away).";

function misspelt(name: string): string {
  const meant = closest(name, variables);
  return `${name} is not a variable that budget-guard reads.${meant === null ? "" : ` Did you mean ${meant}?`}`;
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw new ConfigError("the working directory was deleted, so no policy can be found; start from one that exists.");
  }
}

function begin(config: Config, log: Log): void {
  const first = readFirst(config);
  if (first.told !== "") log.warn(first.told);
  const store = guardedStore(config, log);
  const telemetry = createTelemetry({ config, log, clock: now, version: version() });
  const read = () => readAgain(config, policy.current().plan.files.length > 0);
  const policy = livePolicy({ first, read, log, telemetry, clock: now });
  let prices: Promise<Prices> | null = null;
  const guard = createGuard({
    config,
    policy,
    recognise: recogniser({ hosts: new Map([...hostsFromEnvironment(process.env), ...config.hosts]) }),
    prices: () => {
      prices ??= loadPrices(config.prices, now).catch((error) => {
        prices = null;
        throw error;
      });
      return prices;
    },
    learned: teacher(store, now, config.storeOptions.deadlineMs),
    store,
    heartbeat: createHeartbeat(store, config.storeOptions.holdMs),
    telemetry,
    incoming: watchIncoming(config.incoming),
    processId: `process-${randomUUID()}`,
    log,
    clock: now,
  });
  install(guard);
  deliverBeforeExit(store, log, config.storeOptions.deadlineMs * 4);
  followChildren(propagate(process.env));
  share({
    version: version(),
    ledger: {
      store,
      mode: config.mode,
      get plan() {
        return policy.current().plan;
      },
      fresh: async () => {
        await policy.fresh();
      },
    },
    async flush() {
      await guard.settled();
      await store.flush(config.storeOptions.deadlineMs * 8);
      await telemetry.flush();
    },
  });
  log.info(greeting(config, first.plan, store));
}

/** The store behind a deadline, opened with the first call; its comings and goings are said once each. */
function guardedStore(config: Config, log: Log): FallbackStore {
  const { name, kind } = describeStore(config.store);
  const { deadlineMs, localMillionths } = config.storeOptions;
  // Stores speak through files and plain sockets, which no hook sees. `exempt` would cost every promise of the process on
  // Node 20 and 22, where an AsyncLocalStorage that was used once watches them all.
  return withFallback(() => openStore(config.store, { root: config.root, clock: now }), {
    name,
    kind,
    clock: now,
    deadlineMs,
    localShareMillionths: localMillionths,
    onDown: (why) => log.warn(`${why.message}; \`store.down\` of the policy decides until it is back`),
    onUp: () => log.warn("the ledger is back; what was spent meanwhile has been counted"),
  });
}

function greeting(config: Config, plan: Plan, store: FallbackStore): string {
  const rules = `${plan.rules.length} ${plan.rules.length === 1 ? "rule" : "rules"}`;
  const policy = plan.files.length === 0 ? "no policy, observing" : `${rules} from ${plan.files.join(", ")}`;
  return `${version()}: ${policy}; store ${store.name}; mode ${config.mode}; telemetry ${config.otel}`;
}
