import type { Window } from "../policy/plan.ts";
import { DoubleReader, packDoubles } from "./doubles.ts";
import { LONGEST_HOLD, placeOf } from "./meters.ts";
import type { ClosedGate, Judgement, JudgeRequest, MeterReading, Stop } from "./store.ts";
import { windowAt } from "./window.ts";

/** Every key starts so; the number is the version of the layout. */
const PREFIX = "bg:1:";
const HOLDS = `${PREFIX}holds`;
/** The set of the keys of closed gates. */
export const GATES = `${PREFIX}gates`;
const GATE = `${PREFIX}g:`;

export const meterKey = (place: string): string => `${PREFIX}m:${place}`;
export const printKey = (fingerprint: string): string => `${PREFIX}f:${fingerprint}`;
export const lessonKey = (key: string): string => `${PREFIX}l:${key}`;
export const gateKey = (key: string): string => GATE + key;
/** The keys with which every script on one attempt begins. */
export const holdKeys = (attempt: string): readonly string[] => [HOLDS, attemptKey(attempt)];

const attemptKey = (attempt: string): string => `${PREFIX}a:${attempt}`;

export const holdLife = (holdMs: number): number => Math.min(holdMs, LONGEST_HOLD);

/** An amount as the scripts read it: `retry` and `repeat` are resolved there. */
export const amountOf = (amount: number | "retry" | "repeat"): number =>
  amount === "retry" ? -1 : amount === "repeat" ? -2 : amount;

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
  const head = [
    holdLife(request.holdMs),
    request.sdkRetry ?? -1,
    request.fingerprint === null ? 0 : 1,
    request.gates.length,
    request.meters.length,
    request.stops.length,
  ];
  return { keys, args: [packDoubles(head), packDoubles(meters), packDoubles(request.stops.flatMap(packStop))] };
}

function packStop({ tests, closes }: Stop): number[] {
  const numbers = [tests.length, closes === null ? 0 : closes.gate + 1, closes?.ms ?? -1];
  for (const test of tests) {
    const orEqual = test.orEqual ? 1 : 0;
    if (test.kind === "fixed") numbers.push(1, test.meter + 1, test.limit, 0, orEqual);
    else if (test.kind === "share") numbers.push(2, test.meter + 1, test.millionths, test.of + 1, orEqual);
    else numbers.push(3, 0, test.limit, 0, orEqual);
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
    const amount = add === "retry" ? Number(attemptNumber > 0) : add === "repeat" ? Number(repeat) : add;
    return readReading(reader, window, now, amount);
  });
  return Object.freeze({ now, held, readings, fired, closed, attemptNumber, repeat });
}

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
