/**
 * The whole guard over a memory store and a clock that stands still, without any hook: what it decided, said and showed.
 * @module
 */
import { loadPrices } from "../../src/call/price.ts";
import { recogniser } from "../../src/call/recognise.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { createGuard, type Guard, type Parts } from "../../src/guard.ts";
import { createHeartbeat } from "../../src/heartbeat.ts";
import type { Departure, Passage } from "../../src/hook/exchange.ts";
import { teacher } from "../../src/learned.ts";
import { fixedPolicy } from "../../src/reloading.ts";
import { readStatus, type Status } from "../../src/status.ts";
import { StoreDown } from "../../src/store/down.ts";
import { type FallbackStore, withFallback } from "../../src/store/fallback.ts";
import { openMemory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/log.ts";
import type { Decided, Ended, Later, Unseen } from "../../src/telemetry/telemetry.ts";
import { loadPlan } from "./load-plan.ts";

/** One guard with a memory store and a clock that stands still, and what it said and showed. */
export interface World {
  readonly guard: Guard;
  readonly store: FallbackStore;
  readonly said: string[];
  readonly decided: Decided[];
  readonly ended: Ended[];
  readonly later: Later[];
  readonly unseen: Unseen[];
  readonly status: () => Promise<Status>;
  time: number;
  down: boolean;
  /** What the store says while it is down. */
  failure: Error;
}

const NOON = Date.parse("2026-11-22T12:00:00Z");
const open: World[] = [];

/** Where the span of every call is said to be. */
export const PLACE = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };

/** A guard with this policy; `parts` replace what it is made of. */
export function world(policy: string, options: Partial<Config> = {}, parts: Partial<Parts> = {}): World {
  const said: string[] = [];
  const decided: Decided[] = [];
  const ended: Ended[] = [];
  const later: Later[] = [];
  const unseen: Unseen[] = [];
  const made: { time: number; down: boolean; failure: Error } = {
    time: NOON,
    down: false,
    failure: new StoreDown("the ledger (test) is away"),
  };
  const clock = (): number => made.time;
  const log = createLog("debug", (line) => said.push(line));
  const plan = loadPlan(policy === "" ? [] : [{ file: "policies/test.budget", text: policy }], log.warn);
  const memory = openMemory(clock);
  const gone = async (): Promise<never> => {
    throw made.failure;
  };
  const away = [
    "judge",
    "extend",
    "settle",
    "close",
    "open",
    "gates",
    "read",
    "list",
    "recall",
    "foresee",
    "setLimit",
    "limits",
  ];
  const flaky = new Proxy(memory, {
    get: (target, name: keyof Store) => (made.down && away.includes(name) ? gone : target[name]),
  });
  const store = withFallback(async () => flaky, { clock, name: "test", retryMs: { first: 5, most: 5 } });
  const config: Config = { ...readConfig({}, import.meta.dirname), ...options };
  const prices = loadPrices({ "test-model": { input: 1, output: 10 } }, clock);
  const guard = createGuard({
    config,
    policy: fixedPolicy(plan),
    recognise: recogniser({ hosts: new Map([["llm.test", "openai"]]) }),
    prices: () => prices,
    learned: teacher(store, clock),
    store,
    heartbeat: createHeartbeat(store, config.storeOptions.holdMs),
    telemetry: {
      arrive: () => ({ at: made.time, traceId: null, baggage: {}, context: null }),
      begin: (_, one) => {
        decided.push(one);
        return { run: (fn) => fn(), end: (end) => ended.push(end), place: () => PLACE };
      },
      later: (event) => void later.push(event),
      unseen: (_, event) => void unseen.push(event),
      policy: () => {},
      flush: async () => {},
    },
    incoming: { current: () => null, served: false },
    processId: "process-1",
    log,
    clock,
    ...parts,
  });
  const status = (): Promise<Status> => readStatus(memory, "test", plan, config.mode);
  const one = Object.assign(made, { guard, store, said, decided, ended, later, unseen, status });
  open.push(one);
  return one;
}

/** Shuts every world that was made; for `afterEach`. */
export async function endWorlds(): Promise<void> {
  await Promise.all(open.splice(0).map(({ store }) => store.shut()));
}

export const chat = (fields: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ model: "test-model", max_tokens: 100, messages: [{ role: "user", content: "hello" }], ...fields }),
  );

export const departure = (fields: Partial<Departure> = {}): Departure => ({
  transport: "undici",
  protocol: "https:",
  hostname: "llm.test",
  port: 443,
  method: "POST",
  path: "/v1/chat/completions",
  headers: {},
  body: chat(),
  ...fields,
});

export const decide = (
  one: World,
  fields: Partial<Departure> = {},
  signal = new AbortController().signal,
): Promise<Passage> => one.guard.decide(departure(fields), signal);

/** Answers an allowed call as the provider would. */
export async function answer(
  one: World,
  passage: Passage,
  usage: object = { prompt_tokens: 10, completion_tokens: 100 },
) {
  if (passage.kind !== "go") throw new Error(`not let go: ${passage.kind}`);
  passage.run(() => {});
  passage.tap.head(200, { "content-type": "application/json" });
  passage.tap.chunk(Buffer.from(JSON.stringify({ id: "r-1", model: "test-model", usage })));
  passage.tap.end();
  await one.guard.settled();
}

export const spent = async (one: World, meter: string): Promise<readonly [spent: number, held: number]> => {
  const found = (await one.status()).meters.find((row) => row.meter === meter);
  return [found?.spent ?? 0, found?.held ?? 0];
};

export const message = (passage: Passage): string =>
  passage.kind === "refuse"
    ? (JSON.parse(passage.answer.body.toString()) as { message: string }).message
    : passage.kind === "throw"
      ? passage.error.message
      : "let go";
