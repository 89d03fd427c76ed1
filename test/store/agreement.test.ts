import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMemory } from "../../src/store/memory.ts";
import { placeOf, resetsAt, type Slots, spentOf, withHeld, withSpent } from "../../src/store/meters.ts";
import { openRedis } from "../../src/store/redis.ts";
import type { JudgeRequest, Store, Test } from "../../src/store/store.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { HOUR, hourly, inFlight, last, run, total } from "./asks.ts";

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.port, "127.0.0.1");
});
afterAll(async () => {
  await admin.quit();
  await server.stop();
});

/** Windows whose buckets last an hour or more, so that both ledgers see the same one. */
const asks = [
  { key: "hour|a", window: hourly },
  { key: "roll|a", window: last(30 * HOUR) },
  { key: "run|a", window: run },
  { key: "ever|a", window: total },
  { key: "now|a", window: inFlight },
];
/** Meters that count runs. */
const counting = [
  { key: "runs hour|a", window: hourly },
  { key: "runs roll|a", window: last(30 * HOUR) },
  { key: "runs ever|a", window: total },
];
const all = [...asks, ...counting];
const meters = [
  { id: "hour", window: hourly },
  { id: "roll", window: last(30 * HOUR) },
  { id: "now", window: inFlight },
  { id: "runs hour", window: hourly },
  { id: "runs roll", window: last(30 * HOUR) },
].map((meter) => ({ ...meter, scopes: ["tenant"], metric: "cost" as const }));

const amount = fc.oneof(fc.nat(40), fc.constant(2 ** 50 + 1));
const attempt = fc.integer({ min: 1, max: 12 }).map(String);
const index = fc.nat(all.length - 1);
const orEqual = fc.boolean();
const limit = fc.oneof(fc.nat(120), fc.constant(2 ** 51));
const trial: fc.Arbitrary<Test> = fc.oneof(
  fc.record({ kind: fc.constant("fixed" as const), meter: index, limit, orEqual }),
  fc.record({ kind: fc.constant("share" as const), meter: index, of: index, millionths: fc.nat(1_500_000), orEqual }),
  fc.record({ kind: fc.constant("attempt" as const), limit: fc.nat(3), orEqual }),
  fc.record({
    kind: fc.constant("kept" as const),
    left: fc.oneof(
      fc.record({ kind: fc.constant("meter" as const), meter: index }),
      fc.record({ kind: fc.constant("attempt" as const) }),
      fc.record({ kind: fc.constant("amount" as const), amount }),
    ),
    limits: fc.subarray([0, 1, 2]),
    otherwise: fc.option(limit),
    millionths: fc.oneof(fc.constant(1_000_000), fc.nat(1_500_000)),
    orEqual,
  }),
);
const runs = fc.constantFrom("r1", "r2", "r|3", "ü");
const limits = fc.shuffledSubarray(["quota|tenant=a", "quota|tenant=ü", "other|plan=p"], { minLength: 3 });
const fingerprint = fc.option(fc.constantFrom("f", "g"));
const judgement = fc.record({
  kind: fc.constant("judge" as const),
  attempt,
  short: fc.boolean(),
  adds: fc.array(fc.oneof(amount, fc.constantFrom("retry" as const, "repeat" as const)), {
    minLength: 5,
    maxLength: 5,
  }),
  floor: fc.nat(30),
  stops: fc.array(
    fc.record({
      tests: fc.array(trial, { minLength: 1, maxLength: 3 }),
      closes: fc.option(fc.record({ gate: fc.nat(1), ms: fc.option(fc.constantFrom(60_000, 90_000)) })),
    }),
    { maxLength: 3 },
  ),
  gates: fc.constantFrom(["g1", "g2"], ["g3", "g1"]),
  fingerprint,
  sdkRetry: fc.option(fc.nat(2)),
  run: runs,
  limits,
});
const step = fc.oneof(
  { weight: 5, arbitrary: judgement },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      attempt,
      charges: fc.array(
        fc.record({ meter: index, amount: fc.oneof(amount, fc.constantFrom("retry" as const, "repeat" as const)) }),
        { maxLength: 5 },
      ),
      run: runs,
      fingerprint,
      outcome: fc.constantFrom("success" as const, "failure" as const, "none" as const),
      lessons: fc.array(fc.record({ key: fc.constantFrom("l", "m"), value: fc.nat(3_000_000) }), { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("extend" as const),
      attempt,
      floors: fc.option(fc.array(fc.nat(50), { maxLength: 5 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("limit" as const),
      key: fc.constantFrom("quota|tenant=a", "quota|tenant=ü", "other|plan=p"),
      amount: fc.option(fc.oneof(limit, fc.constant(Number.POSITIVE_INFINITY))),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("foresee" as const),
      fingerprint,
      sdkRetry: fc.option(fc.nat(2)),
      limits,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("gate" as const),
      key: fc.constantFrom("g1", "g2", "g3"),
      close: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const SHORT = 4;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One step on one ledger, and what it answered that does not depend on the very millisecond. */
async function take(store: Store, one: Step): Promise<unknown> {
  switch (one.kind) {
    case "judge": {
      const request: JudgeRequest = {
        ...one,
        holdMs: one.short ? SHORT : 60_000,
        meters: [
          ...asks.map((ask, at) => ({ ...ask, add: one.adds[at] ?? 0, floor: one.floor })),
          ...counting.map((ask) => ({ ...ask, add: "run" as const, floor: one.floor })),
        ],
        gates: one.gates.map((key) => ({ key })),
      };
      const { now, closed, ...answer } = await store.judge(request);
      return {
        ...answer,
        closed: closed.map((gate) => gate && { key: gate.key, lasts: gate.until && gate.until - gate.since }),
      };
    }
    case "settle": {
      const charges = one.charges.map((charge) => ({
        key: "",
        window: total,
        ...all[charge.meter],
        amount: charge.meter < asks.length ? charge.amount : ("run" as const),
      }));
      // Distinct meters only, as a plan has them.
      const distinct = charges.filter((charge, at) => charges.findIndex(({ key }) => key === charge.key) === at);
      await store.settle({ ...one, judgedAt: Date.now(), charges: distinct });
      return null;
    }
    case "extend":
      await store.extend([
        { attempt: one.attempt, holdMs: 60_000, ...(one.floors === null ? {} : { floors: one.floors }) },
      ]);
      return null;
    case "limit":
      return await store.setLimit(one.key, one.amount);
    case "foresee": {
      const { now, ...answer } = await store.foresee(one);
      return answer;
    }
    default:
      return one.close ? await store.close(one.key, null) : await store.open([one.key]);
  }
}

async function look(store: Store): Promise<unknown> {
  const gates = (await store.gates()).map(({ key, until }) => ({ key, forever: until === null }));
  return {
    readings: await store.read(all),
    list: [...(await store.list(meters))].sort((a, b) => (a.key < b.key ? -1 : 1)),
    gates: gates.sort((a, b) => (a.key < b.key ? -1 : 1)),
    limits: [...(await store.limits())].sort(),
    lessons: await store.recall(["l", "m", "n"]),
  };
}

test("Redis and the ledger in this process answer every history alike", async () => {
  const redis = await openRedis(server.url, { clock: Date.now });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: "max" }), async (steps) => {
      await admin.flushall();
      const memory = openMemory();
      for (const one of steps) {
        expect(await take(redis, one)).toEqual(await take(memory, one));
        if (one.kind === "judge" && one.short) await pause(SHORT + 2);
        expect(await look(redis)).toEqual(await look(memory));
      }
    }),
    { numRuns: 60 },
  );
  await redis.shut();
});

test("the scripts and the ledger in this process add up a meter alike at every moment", async () => {
  const include = readFileSync(new URL("../../src/store/lua/includes/meters.lua", import.meta.url), "utf8");
  // Runs the very functions that the scripts include, at moments of the test's choosing.
  const script = `${include}
    local out, size, span = {}, tonumber(ARGV[1]), tonumber(ARGV[2])
    for i = 3, #ARGV, 4 do
      local kind, at, delta, now = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
      if kind == 'spend' then spend(KEYS[1], size, 0, -1, at, delta, now) else hold(KEYS[1], size, 0, -1, delta, now) end
      -- Some are written one by one, some together; only what is written is read.
      if now % 3 > 0 or i + 4 > #ARGV then
        flush(now)
        local spent, held, leaves = read_meter(get(KEYS[1]), size, span, now)
        out[#out + 1] = struct.pack('<ddd', spent, held, leaves)
      end
    end
    return table.concat(out)`;
  const ms = fc.constantFrom(1, 29, 30, 31, 60_000, 900_000, 5_400_001);
  const move = fc.record({
    kind: fc.constantFrom("spend" as const, "hold" as const),
    ago: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1.2, noNaN: true })),
    delta: fc.integer({ min: -30, max: 60 }),
    // Often a whole number of buckets: the oldest one that counts must be met too.
    pass: fc.oneof(
      fc.nat(45).map((buckets) => buckets / 30),
      fc.double({ min: -0.1, max: 1.3, noNaN: true }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(ms, fc.array(move, { minLength: 1, maxLength: 30, size: "max" }), async (span, moves) => {
      await admin.flushall();
      const window = last(span);
      let now = Date.UTC(2026, 10, 22);
      let slots: Slots | undefined;
      const args: (string | number)[] = [placeOf("k", window, now).size, span];
      const expected: unknown[] = [];
      for (const { kind, ago, delta, pass } of moves) {
        now += Math.round(pass * span);
        const at = now - Math.round(ago * span);
        const place = placeOf("k", window, now);
        args.push(kind, at, delta, now);
        if (slots !== undefined || delta > 0) {
          if (delta !== 0)
            slots = kind === "spend" ? withSpent(place, slots, at, delta) : withHeld(place, slots, delta);
        }
        if (now % 3 > 0 || args.length === 2 + 4 * moves.length)
          expected.push([spentOf(window, slots, now), slots?.[0] ?? 0, resetsAt(window, slots, now) ?? -1]);
      }
      const bytes = Buffer.from((await admin.callBuffer("EVAL", script, 1, "k", ...args)) as Buffer);
      const answer = expected.map((_, n) => [0, 8, 16].map((byte) => bytes.readDoubleLE(n * 24 + byte)));
      expect(answer).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
