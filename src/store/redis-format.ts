import type { Window } from "../policy/plan.ts";
import { DoubleReader, packDoubles } from "./doubles.ts";
import { LONGEST_HOLD, placeOf } from "./meters.ts";
import type {
  ClosedGate,
  Foreseen,
  Foresight,
  Judgement,
  JudgeRequest,
  MeterReading,
  Remembered,
  Stop,
} from "./store.ts";
import { windowAt } from "./window.ts";

/** Every key starts so; the number is the version of the layout. */
const PREFIX = "bg:1:";
const HOLDS = `${PREFIX}holds`;
/** The set of the keys of closed gates. */
export const GATES = `${PREFIX}gates`;
const GATE = `${PREFIX}g:`;
/**
 * The hash of live limits, which people and their programs may write too: `HSET bg:1:limits "quota|tenant=acme" 80000000000`.
 * Fields are made by `limitKey`; values are whole numbers, nano-dollars (1e9 to the dollar) or a count, or `unlimited`.
 */
export const LIMITS = `${PREFIX}limits`;

export const meterKey = (place: string): string => `${PREFIX}m:${place}`;
export const printKey = (fingerprint: string): string => `${PREFIX}f:${fingerprint}`;
export const lessonKey = (key: string): string => `${PREFIX}l:${key}`;
export const noteKey = (key: string): string => `${PREFIX}n:${key}`;
export const gateKey = (key: string): string => GATE + key;
/** The keys with which every script on one attempt begins. */
export const holdKeys = (attempt: string): readonly string[] => [HOLDS, attemptKey(attempt)];

const attemptKey = (attempt: string): string => `${PREFIX}a:${attempt}`;

export const holdLife = (holdMs: number): number => Math.min(holdMs, LONGEST_HOLD);

const CODES = { retry: -1, repeat: -2, run: -3 } as const;

/** An amount as the scripts read it: what only the store knows is resolved there. */
export const amountOf = (amount: number | Remembered): number => (typeof amount === "number" ? amount : CODES[amount]);

interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly Buffer[];
}

/** Keys and arguments of judge.lua, with the windows of the moment `now`. */
export function judgeCall(request: JudgeRequest, now: number): ScriptCall {
  const keys = [HOLDS, GATES, attemptKey(request.attempt)];
  if (request.fingerprint !== null) keys.push(printKey(request.fingerprint));
  for (const { key } of request.gates) keys.push(gateKey(key));
  const meters: number[] = [];
  for (const { key, window, add, floor } of request.meters) {
    const place = placeOf(key, window, now);
    const { start, end } = windowAt(window, now);
    const span = window.kind === "last" ? window.ms : 0;
    keys.push(meterKey(place.key));
    meters.push(place.size, span, place.keep, place.until ?? -1, start, end ?? -1, amountOf(add), floor);
  }
  if (request.limits.length > 0) keys.push(LIMITS);
  const head = [
    holdLife(request.holdMs),
    request.sdkRetry ?? -1,
    request.fingerprint === null ? 0 : 1,
    request.gates.length,
    request.meters.length,
    request.stops.length,
    request.limits.length,
  ];
  const args = [packDoubles(head), packDoubles(meters), packDoubles(request.stops.flatMap(packStop))];
  if (request.limits.length > 0 || request.meters.some(({ add }) => add === "run")) {
    args.push(...[request.run, ...request.limits].map((text) => Buffer.from(text)));
  }
  return { keys, args };
}

function packStop({ tests, closes }: Stop): number[] {
  const numbers = [tests.length, closes === null ? 0 : closes.gate + 1, closes?.ms ?? -1];
  for (const test of tests) {
    const orEqual = test.orEqual ? 1 : 0;
    if (test.kind === "fixed") numbers.push(1, test.meter + 1, test.limit, 0, orEqual);
    else if (test.kind === "share") numbers.push(2, test.meter + 1, test.millionths, test.of + 1, orEqual);
    else if (test.kind === "attempt") numbers.push(3, 0, test.limit, 0, orEqual);
    else {
      const { left, limits } = test;
      const meter = left.kind === "meter" ? left.meter + 1 : left.kind === "attempt" ? 0 : -1;
      numbers.push(4, meter, test.millionths, limits.length, orEqual);
      numbers.push(left.kind === "amount" ? left.amount : 0, test.otherwise ?? -1, ...limits.map((index) => index + 1));
    }
  }
  return numbers;
}

/** The answer of judge.lua to this request. */
export function readJudgement(bytes: Buffer, request: JudgeRequest): Judgement {
  const reader = new DoubleReader(bytes);
  reader.next();
  const now = reader.next();
  const held = reader.next() === 1;
  const attemptNumber = reader.next();
  const repeat = reader.next() === 1;
  const fired = Array.from({ length: reader.next() }, () => reader.next() - 1);
  const closed = request.gates.map(({ key }) => {
    const [since, until] = [reader.next(), reader.next()];
    return since < 0 ? null : { key, since, until: until < 0 ? null : until };
  });
  const readings = request.meters.map(({ window, add }) => {
    if (add === "run") {
      // No run is held: what the call adds is said in its place.
      const { held: isNew, ...reading } = readReading(reader, window, now, 0);
      return { ...reading, held: 0, add: isNew };
    }
    const amount = add === "retry" ? Number(attemptNumber > 0) : add === "repeat" ? Number(repeat) : add;
    return readReading(reader, window, now, amount);
  });
  const limits = request.limits.map(() => readLimit(reader));
  return Object.freeze({ now, held, readings, fired, closed, limits, attemptNumber, repeat });
}

function readLimit(reader: DoubleReader): number | null {
  const amount = reader.next();
  return amount < 0 ? null : amount;
}

/** Keys and arguments of foresee.lua. */
export function foreseeCall({ fingerprint, sdkRetry, limits }: Foresight): ScriptCall {
  const keys = fingerprint === null ? [LIMITS] : [LIMITS, printKey(fingerprint)];
  return { keys, args: [packDoubles([sdkRetry ?? -1]), ...limits.map((field) => Buffer.from(field))] };
}

/** The answer of foresee.lua to this ask. */
export function readForeseen(bytes: Buffer, { limits }: Foresight): Foreseen {
  const reader = new DoubleReader(bytes);
  reader.next();
  const [now, attemptNumber, repeat] = [reader.next(), reader.next(), reader.next() === 1];
  return { now, attemptNumber, repeat, limits: limits.map(() => readLimit(reader)) };
}

/** A limit as it stands in the hash. */
export const limitText = (amount: number): string => (amount === Number.POSITIVE_INFINITY ? UNLIMITED : `${amount}`);

/** The amount that a value of the hash says, as the scripts read it; NaN where it says none. */
export function readLimitText(text: string): number {
  if (text === UNLIMITED) return Number.POSITIVE_INFINITY;
  const amount = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(amount) ? amount : Number.NaN;
}

const UNLIMITED = "unlimited";

/** Keys and arguments of read.lua, with the windows of the moment `now`. */
export function readCall(asks: readonly { readonly key: string; readonly window: Window }[], now: number): ScriptCall {
  const keys = [HOLDS];
  const meters: number[] = [];
  for (const { key, window } of asks) {
    const place = placeOf(key, window, now);
    const { start, end } = windowAt(window, now);
    keys.push(meterKey(place.key));
    meters.push(place.size, window.kind === "last" ? window.ms : 0, start, end ?? -1);
  }
  return { keys, args: [packDoubles(meters)] };
}

/** The answer of read.lua to these asks. */
export function readReadings(bytes: Buffer, asks: readonly { readonly window: Window }[]): readonly MeterReading[] {
  const reader = new DoubleReader(bytes);
  reader.next();
  const now = reader.next();
  return asks.map(({ window }) => readReading(reader, window, now, 0));
}

function readReading(reader: DoubleReader, window: Window, now: number, add: number): MeterReading {
  const [spent, held, leaves] = [reader.next(), reader.next(), reader.next()];
  const resetsAt = window.kind === "last" ? (leaves < 0 ? null : leaves) : windowAt(window, now).end;
  return { spent, held, add, resetsAt };
}

/** The answer of gates.lua. */
export function readGates(list: unknown): readonly ClosedGate[] {
  const gates: ClosedGate[] = [];
  if (!Array.isArray(list)) return gates;
  for (let index = 0; index + 1 < list.length; index += 2) {
    const reader = new DoubleReader(bytesOf(list[index + 1]));
    const [since, until] = [reader.next(), reader.next()];
    const key = bytesOf(list[index]).toString().slice(GATE.length);
    gates.push({ key, since, until: until < 0 ? null : until });
  }
  return gates;
}

/** The parse boundary to Redis: scripts answer in bytes. */
export function bytesOf(answer: unknown): Buffer {
  if (!Buffer.isBuffer(answer)) throw new TypeError("Redis answered a script with something else than bytes");
  return answer;
}
