import { afterEach, describe, expect, test } from "vitest";
import { StoreDown } from "../../src/store/down.ts";
import { type FallbackStore, withFallback } from "../../src/store/fallback.ts";
import type { FallbackOptions } from "../../src/store/fallback-options.ts";
import { openLocal } from "../../src/store/local.ts";
import { openMemory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { above, aCharge, aMeter, aRequest, aSettlement, HOUR, hourly, run, total, unique } from "./asks.ts";
import { handClock } from "./hand-clock.ts";

const ask = { key: "tenant.cost.hourly|acme", window: hourly };

/** A memory store behind a wire that can be cut, or be so slow that answers wait until it is let go. */
function behindWire(clock: () => number) {
  const store = openMemory(clock);
  let cut = false;
  let slow: Promise<void> | null = null;
  let asked = 0;
  let left = Number.POSITIVE_INFINITY;
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    asked++;
    if (left-- <= 0) cut = true;
    if (cut) throw new StoreDown("the wire is cut");
    const answer = await work();
    await slow;
    return answer;
  };
  const wired: Store = {
    ...store,
    judge: (request) => through(() => store.judge(request)),
    settle: (settlement) => through(() => store.settle(settlement)),
    extend: (holds) => through(() => store.extend(holds)),
    read: (asks) => through(() => store.read(asks)),
    close: (key, ms) => through(() => store.close(key, ms)),
    foresee: (ask) => through(() => store.foresee(ask)),
    setLimit: (key, amount) => through(() => store.setLimit(key, amount)),
    limits: () => through(() => store.limits()),
  };
  return {
    store,
    wired,
    /** How often anything was asked over it. */
    asked: () => asked,
    cut: (value: boolean) => {
      cut = value;
      left = Number.POSITIVE_INFINITY;
    },
    /** Lets so many more through. */
    cutAfter: (count: number) => {
      cut = false;
      left = count;
    },
    /** Answers wait until the function returned is called; the work itself is done at once. */
    slowDown: () => {
      let letGo = () => {};
      slow = new Promise((resolve) => {
        letGo = () => {
          slow = null;
          resolve();
        };
      });
      return letGo;
    },
  };
}

const open: FallbackStore[] = [];
afterEach(async () => {
  for (const store of open.splice(0)) await store.shut();
});

function bench(options: FallbackOptions = {}) {
  const clock = handClock();
  const wire = behindWire(clock.now);
  const told: string[] = [];
  let up = () => {};
  const back = new Promise<void>((resolve) => {
    up = resolve;
  });
  const fallback = withFallback(async () => wire.wired, {
    clock: clock.now,
    deadlineMs: 40,
    patienceMs: 200,
    retryMs: { first: 5, most: 20 },
    onDown: () => told.push("down"),
    onUp: () => {
      told.push("up");
      up();
    },
    ...options,
  });
  open.push(fallback);
  return { clock, wire, told, back, fallback };
}

test("the store is opened by the first call and once only", async () => {
  let opened = 0;
  const fallback = withFallback(async () => {
    opened++;
    return openMemory();
  });
  open.push(fallback);
  expect(opened).toBe(0);
  await Promise.all([fallback.judge(aRequest()), fallback.judge(aRequest()), fallback.read([ask])]);
  expect(opened).toBe(1);
});

test("a store that cannot be opened is down, and is tried again until it can", async () => {
  let tries = 0;
  let up = () => {};
  const back = new Promise<void>((resolve) => {
    up = resolve;
  });
  const fallback = withFallback(
    async () => {
      if (++tries < 4) throw new Error("connect ECONNREFUSED");
      return openMemory();
    },
    { retryMs: { first: 2, most: 4 }, onUp: up },
  );
  open.push(fallback);
  await expect(fallback.judge(aRequest())).rejects.toThrow(StoreDown);
  expect(fallback.isDown).toBe(true);
  await back;
  expect((await fallback.judge(aRequest())).held).toBe(true);
  expect(tries).toBe(4);
});

test("while the store is away, judging fails at once and being away is told once", async () => {
  const { wire, fallback, told, back } = bench();
  await fallback.judge(aRequest());
  wire.cut(true);
  for (let turn = 0; turn < 5; turn++) await expect(fallback.judge(aRequest())).rejects.toThrow(/the wire is cut/);
  expect(told).toEqual(["down"]);
  wire.cut(false);
  await back;
  expect((await fallback.judge(aRequest())).held).toBe(true);
  expect(told).toEqual(["down", "up"]);
});

test("a judgement that takes too long is StoreDown, and the hold it made after all is released", async () => {
  const { wire, fallback, back } = bench();
  await fallback.read([ask]);
  const letGo = wire.slowDown();
  const began = performance.now();
  await expect(fallback.judge(aRequest())).rejects.toThrow(/did not answer within 40 ms/);
  expect(performance.now() - began).toBeLessThan(1_000);
  const asked = wire.asked();
  const more = Array.from({ length: 20 }, () => fallback.judge(aRequest()).catch((error) => error));
  expect((await Promise.all(more)).every((error) => error instanceof StoreDown)).toBe(true);
  // At most the sign of life that is asked for meanwhile.
  expect(wire.asked() - asked).toBeLessThanOrEqual(1);
  expect((await wire.store.read([ask]))[0]?.held).toBe(10);
  letGo();
  await back;
  await fallback.flush(1_000);
  expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 0, held: 0 });
});

test("calls that outlived their holds while the store was away are held again before another is judged", async () => {
  const { wire, fallback, back, clock } = bench();
  const living = aRequest({ meters: [aMeter({ floor: 4 })], holdMs: 60_000 });
  await fallback.judge(living);
  wire.cut(true);
  await expect(fallback.judge(aRequest())).rejects.toThrow(StoreDown);
  await clock.pass(61_000);
  await fallback.extend([{ attempt: living.attempt, holdMs: 60_000 }]);
  wire.cut(false);
  await back;
  expect((await fallback.judge(aRequest({ stops: [above(15)] }))).held).toBe(false);
  expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 0, held: 10 });
});

test("errors of the caller are not taken for a store that is away", async () => {
  const { fallback, told } = bench();
  await expect(fallback.judge(aRequest({ meters: [aMeter({ add: -5 })] }))).rejects.toThrow(RangeError);
  await expect(fallback.settle(aSettlement("x", Number.NaN))).rejects.toThrow(RangeError);
  expect(fallback.isDown).toBe(false);
  expect(told).toEqual([]);
});

describe("settlements while the store is away", () => {
  test("wait, and are told in order and once when it is back", async () => {
    const { wire, fallback, back, clock } = bench();
    const request = aRequest({ fingerprint: "f" });
    const { now } = await fallback.judge(request);
    wire.cut(true);
    const outcomes = ["failure", "failure", "success", "failure"] as const;
    await fallback.settle(aSettlement(request.attempt, now, { fingerprint: "f", outcome: "failure" }));
    for (const outcome of outcomes) {
      await fallback.settle(aSettlement(unique("a"), clock.now(), { fingerprint: "f", outcome }));
    }
    expect(fallback.waiting).toBe(5);
    wire.cut(false);
    await back;
    expect(fallback.waiting).toBe(0);
    expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 50, held: 0 });
    expect((await fallback.judge(aRequest({ fingerprint: "f" }))).attemptNumber).toBe(1);
  });

  test("that were executed though their answer was lost are charged once", async () => {
    const { wire, fallback } = bench();
    await fallback.read([ask]);
    const letGo = wire.slowDown();
    await fallback.settle(aSettlement("a", 0, { charges: [aCharge({ key: "t|", window: total })] }));
    expect(fallback.waiting).toBe(1);
    letGo();
    expect(await fallback.flush(2_000)).toBe(true);
    expect((await wire.store.read([{ key: "t|", window: total }]))[0]?.spent).toBe(10);
  });

  test("that could not be told after all wait on, in front", async () => {
    const { wire, fallback, back } = bench();
    await fallback.read([]);
    wire.cut(true);
    for (let n = 0; n < 6; n++)
      await fallback.settle(aSettlement(unique("a"), 0, { charges: [aCharge({ key: "t|", window: total })] }));
    // The sign of life and two of the six get through, then it is cut once more.
    wire.cutAfter(3);
    while (wire.asked() < 8) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await fallback.flush(1)).toBe(false);
    wire.cut(false);
    await back;
    expect((await wire.store.read([{ key: "t|", window: total }]))[0]?.spent).toBe(60);
  });

  test("are bounded in number and lose no amount", async () => {
    const { wire, fallback, back, clock } = bench({ queueLimit: 10 });
    const ever = { key: "global.cost.total", window: total };
    const charges = [aCharge(), aCharge(ever)];
    await fallback.read([]);
    wire.cut(true);
    for (let hour = 0; hour < 3; hour++) {
      for (let n = 0; n < 100; n++) await fallback.settle(aSettlement(unique("a"), clock.now(), { charges }));
      if (hour < 2) await clock.pass(HOUR);
    }
    expect(fallback.waiting).toBeLessThanOrEqual(13);
    wire.cut(false);
    await back;
    expect((await wire.store.read([ask, ever])).map(({ spent }) => spent)).toEqual([1_000, 3_000]);
    await clock.pass(-HOUR);
    expect((await wire.store.read([ask]))[0]?.spent).toBe(1_000);
  });

  test("of calls that the store holds replace their holds, however many settlements follow them", async () => {
    const { wire, fallback, back, clock } = bench({ queueLimit: 10 });
    const { attempt, holdMs } = aRequest({ attempt: unique("held") });
    await fallback.judge(aRequest({ attempt, holdMs, meters: [aMeter({ floor: 4 })] }));
    wire.cut(true);
    await fallback.settle(aSettlement(attempt, clock.now()));
    for (let n = 0; n < 100; n++) await fallback.settle(aSettlement(unique("a"), clock.now()));
    wire.cut(false);
    await back;
    expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 1_010, held: 0 });
    await clock.pass(holdMs + 1);
    expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 1_010, held: 0 });
  });

  test("that were added up keep time zones apart, whose hours begin at any quarter", async () => {
    const { wire, fallback, back, clock } = bench({ queueLimit: 1 });
    const nepal = { key: "t|acme", window: { kind: "hourly", timezone: "Asia/Kathmandu" } } as const;
    await fallback.read([]);
    wire.cut(true);
    // 20:10 in Nepal, then 20:20, in one hour of UTC; the next begins at :15.
    await clock.pass(Date.UTC(2026, 10, 22, 15, 10) - clock.now());
    for (let n = 0; n < 3; n++)
      await fallback.settle(aSettlement(unique("a"), clock.now(), { charges: [aCharge(nepal)] }));
    await clock.pass(600_000);
    for (let n = 0; n < 4; n++)
      await fallback.settle(aSettlement(unique("a"), clock.now(), { charges: [aCharge(nepal)] }));
    wire.cut(false);
    await back;
    expect((await wire.store.read([nepal]))[0]?.spent).toBe(40);
    await clock.pass(-600_000);
    expect((await wire.store.read([nepal]))[0]?.spent).toBe(30);
  });

  test("that were added up still say which runs were seen, each once", async () => {
    const { wire, fallback, back, clock } = bench({ queueLimit: 5 });
    const runs = { key: "tenant.runs.hourly|acme", window: hourly };
    const own = { key: "feature.runs.hourly|f", window: hourly };
    await fallback.read([]);
    wire.cut(true);
    for (let n = 0; n < 60; n++) {
      const charges = [aCharge(), { ...runs, amount: "run" as const }];
      if (n % 3 === 0) charges.push({ ...own, amount: "run" as const });
      await fallback.settle(aSettlement(unique("a"), clock.now(), { run: `r${n % 12}`, charges }));
    }
    wire.cut(false);
    await back;
    expect((await wire.store.read([ask, runs, own])).map(({ spent }) => spent)).toEqual([600, 12, 4]);
  });

  test("are waited for by flush while they are being told", async () => {
    const { wire, fallback, clock } = bench({ patienceMs: 5_000 });
    await fallback.read([]);
    wire.cut(true);
    await fallback.settle(aSettlement("a", clock.now()));
    wire.cut(false);
    let told = false;
    const settle = wire.wired.settle;
    wire.wired.settle = async (settlement) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      told = true;
      return settle(settlement);
    };
    while (fallback.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(told).toBe(false);
    expect(await fallback.flush(2_000)).toBe(true);
    expect((await wire.store.read([ask]))[0]?.spent).toBe(10);
  });

  test("are given up by flush after its time", async () => {
    const { wire, fallback } = bench();
    await fallback.read([]);
    wire.cut(true);
    await fallback.settle(aSettlement("a", 0));
    const began = performance.now();
    expect(await fallback.flush(60)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(fallback.waiting).toBe(1);
    wire.cut(false);
    expect(await fallback.flush(1_000)).toBe(true);
    expect(fallback.waiting).toBe(0);
  });
});

describe("judging here while the store is away", () => {
  test("gives this process a share of a shared limit, and the whole of a run's", async () => {
    const { fallback } = bench({ localShareMillionths: 50_000 });
    const go = async (key: string, window: typeof hourly | typeof run) =>
      (await fallback.local.judge(aRequest({ meters: [aMeter({ key, window })], stops: [above(400)] }))).held;
    const count = async (key: string, window: typeof hourly | typeof run) => {
      let held = 0;
      while (held < 100 && (await go(key, window))) held++;
      return held;
    };
    expect(await count("tenant.cost.hourly|acme", hourly)).toBe(2);
    expect(await count("tenant.output_tokens.last 15m|acme", hourly)).toBe(2);
    expect(await count("global.tokens.hourly", hourly)).toBe(2);
    expect(await count("run.cost|r1", run)).toBe(40);
    expect(await count("feature.run.cost.hourly|f|r1", hourly)).toBe(40);
    expect(await count("tenant.calls.hourly|acme", hourly)).toBe(40);
    expect(await count("tenant.retries.hourly|cost.tokens", hourly)).toBe(40);
  });

  test("is told to the real store when it is back, under the same attempts", async () => {
    const { wire, fallback, back } = bench();
    await fallback.read([]);
    wire.cut(true);
    const request = aRequest();
    await expect(fallback.judge(request)).rejects.toThrow(StoreDown);
    const { now, held } = await fallback.local.judge(request);
    expect(held).toBe(true);
    await fallback.extend([{ attempt: request.attempt, holdMs: 1_000 }]);
    await fallback.settle(aSettlement(request.attempt, now));
    expect((await fallback.local.read([ask]))[0]).toMatchObject({ spent: 10, held: 0 });
    wire.cut(false);
    await back;
    expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 10, held: 0 });
  });

  test("does not lose the bill where the store had held the call after all", async () => {
    const { wire, fallback, back } = bench();
    await fallback.read([]);
    const letGo = wire.slowDown();
    const request = aRequest();
    await expect(fallback.judge(request)).rejects.toThrow(StoreDown);
    const { now } = await fallback.local.judge(request);
    letGo();
    await back;
    await fallback.flush(1_000);
    await fallback.settle(aSettlement(request.attempt, now));
    expect((await wire.store.read([ask]))[0]).toMatchObject({ spent: 10, held: 0 });
  });

  test("keeps closed what the store had closed, and forgets what was closed here by a share of a limit", async () => {
    const { wire, fallback, back } = bench();
    const gates = [{ key: "pause|tenant=acme" }, { key: "other|" }];
    const stop = { tests: above(5).tests, closes: { gate: 0, ms: null } };
    expect((await fallback.judge(aRequest({ gates, stops: [stop] }))).fired).toEqual([0]);
    await fallback.close("|feature=research", null);
    wire.cut(true);
    await expect(fallback.judge(aRequest())).rejects.toThrow(StoreDown);
    expect((await fallback.local.judge(aRequest({ gates }))).closed[0]?.key).toBe("pause|tenant=acme");
    expect((await fallback.local.judge(aRequest({ gates: [{ key: "|feature=research" }] }))).held).toBe(false);
    expect((await fallback.local.judge(aRequest({ gates: [{ key: "here|" }], stops: [stop] }))).held).toBe(false);
    wire.cut(false);
    await back;
    await fallback.open(["pause|tenant=acme"]);
    expect(await fallback.gates()).toMatchObject([{ key: "|feature=research" }]);
    expect(await fallback.local.gates()).toEqual([]);
    expect((await fallback.judge(aRequest({ gates }))).held).toBe(true);
  });
});

test("what was closed stays closed in one outage after another, though nobody asked in between", async () => {
  const { wire, fallback } = bench();
  const paused = () => aRequest({ gates: [{ key: "|tenant=acme" }] });
  await fallback.close("|tenant=acme", null);
  for (let outage = 0; outage < 2; outage++) {
    wire.cut(true);
    await expect(fallback.judge(paused())).rejects.toThrow(StoreDown);
    for (let turn = 0; turn < 2; turn++) expect((await fallback.local.judge(paused())).held).toBe(false);
    wire.cut(false);
    while (fallback.isDown) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await fallback.open(["|tenant=acme"]);
  wire.cut(true);
  await expect(fallback.judge(paused())).rejects.toThrow(StoreDown);
  expect((await fallback.local.judge(paused())).held).toBe(true);
});

describe("limits and foresight while the store is away", () => {
  const quota = "quota|tenant=acme";
  const kept = {
    tests: [
      {
        kind: "kept",
        left: { kind: "meter", meter: 0 },
        limits: [0],
        otherwise: 100,
        millionths: 1_000_000,
        orEqual: false,
      },
    ],
    closes: null,
  } as const;
  const ask = { fingerprint: "f", sdkRetry: 2, limits: [quota, "other|x=y"] };

  test("are those that this process knew last, by whatever it asked", async () => {
    const { wire, fallback, clock } = bench();
    await wire.store.setLimit(quota, 4_000);
    await fallback.judge(aRequest({ limits: [quota] }));
    await wire.store.setLimit("other|x=y", Number.POSITIVE_INFINITY);
    await fallback.foresee({ ...ask, limits: ["other|x=y", "gone|x=y"] });
    wire.cut(true);
    const answer = { now: clock.now(), attemptNumber: 2, repeat: false, limits: [4_000, Number.POSITIVE_INFINITY] };
    expect(await fallback.foresee(ask)).toEqual(answer);
    expect(fallback.isDown).toBe(true);
    expect(await fallback.foresee(ask)).toEqual(answer);
    expect(fallback.isDown).toBe(true);
    await expect(fallback.limits()).rejects.toThrow(StoreDown);
    await expect(fallback.setLimit(quota, 1)).rejects.toThrow(StoreDown);
    expect((await fallback.foresee(ask)).limits).toEqual(answer.limits);
  });

  test("are none where this process never asked, nor where the store has forgotten them", async () => {
    const { wire, fallback } = bench();
    await fallback.setLimit(quota, 70);
    await fallback.setLimit("other|x=y", 80);
    await wire.store.setLimit(quota, null);
    await fallback.judge(aRequest({ limits: [quota] }));
    wire.cut(true);
    expect((await fallback.foresee({ ...ask, limits: [quota, "never|x=y", "other|x=y"] })).limits).toEqual([
      null,
      null,
      80,
    ]);
  });

  test("come within the deadline of a judgement", async () => {
    const { wire, fallback } = bench({ deadlineMs: 40, patienceMs: 5_000 });
    await fallback.setLimit(quota, 70);
    const letGo = wire.slowDown();
    const began = performance.now();
    expect((await fallback.foresee(ask)).limits).toEqual([70, null]);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(fallback.isDown).toBe(true);
    letGo();
  });

  test("are no excuse for what the caller asks wrongly", async () => {
    const { fallback } = bench();
    await expect(fallback.foresee({ ...ask, sdkRetry: -1 })).rejects.toThrow(RangeError);
    await expect(fallback.setLimit(quota, -1)).rejects.toThrow(RangeError);
    expect(fallback.isDown).toBe(false);
  });

  test("give this process a share of a shared limit that is kept, and the whole of a run's", async () => {
    const { wire, fallback } = bench({ localShareMillionths: 50_000 });
    await wire.store.setLimit(quota, 400);
    await fallback.judge(aRequest({ limits: [quota] }));
    wire.cut(true);
    const count = async (key: string) => {
      const request = () => aRequest({ limits: [quota], meters: [aMeter({ key, window: total })], stops: [kept] });
      let held = 0;
      while (held < 100 && (await fallback.local.judge(request())).held) held++;
      return held;
    };
    expect(await count("tenant.cost.total|acme")).toBe(2);
    expect(await count("tenant.cost.daily@America/New_York|acme")).toBe(2);
    expect(await count("run.cost|r1")).toBe(40);
    expect(await count("tenant.calls.total|acme")).toBe(40);
  });

  test("runs that were let go here are counted here, and there when the store is back", async () => {
    const { wire, fallback, back } = bench();
    const key = "tenant.runs.hourly|acme";
    const meters = [aMeter({ key, add: "run" })];
    await fallback.judge(aRequest({ run: "before", meters }));
    wire.cut(true);
    await expect(fallback.judge(aRequest({ run: "a", meters }))).rejects.toThrow(StoreDown);
    const requests = ["a", "b", "a"].map((run) => aRequest({ run, meters }));
    for (const request of requests) {
      const { now } = await fallback.local.judge(request);
      const charges = [{ key, window: hourly, amount: "run" as const }];
      await fallback.settle(aSettlement(request.attempt, now, { run: request.run, charges }));
    }
    expect((await fallback.local.judge(aRequest({ run: "b", meters }))).readings[0]).toMatchObject({
      spent: 2,
      add: 0,
    });
    wire.cut(false);
    await back;
    expect((await wire.store.read([{ key, window: hourly }]))[0]).toMatchObject({ spent: 3, held: 0 });
  });

  test("remember the limits of as many tenants as are asked for often, and no more", async () => {
    const local = openLocal(() => 0, 50_000);
    const keys = Array.from({ length: 10_050 }, (_, index) => `quota|tenant=t${index}`);
    local.rememberLimits(
      keys.slice(0, 100),
      keys.slice(0, 100).map((_, index) => index),
    );
    local.rememberLimits(
      keys.slice(100),
      keys.slice(100).map(() => 5),
    );
    local.rememberLimits(keys.slice(0, 1), [7]);
    const { limits } = await local.foresee({ fingerprint: null, sdkRetry: null, limits: keys });
    expect(limits.filter((amount) => amount !== null)).toHaveLength(10_000);
    expect(limits[0]).toBe(7);
  });
});
