import { setTimeout as passing } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Passage } from "../src/hook/exchange.ts";
import { answer, chat, decide, endWorlds, message, spent, type World, world } from "./support/a-guard.ts";

afterEach(endWorlds);

/** Counts what the store is asked. */
function counting(one: World): { judgements: number } {
  const counted = { judgements: 0 };
  const judge = one.store.judge.bind(one.store);
  one.store.judge = (request) => {
    counted.judgements += 1;
    return judge(request);
  };
  return counted;
}

const of = (tenant: string, fields: object = {}) => ({
  headers: { "x-budget-tenant": tenant },
  body: chat({ messages: [{ role: "user", content: `question ${Math.random()}` }], ...fields }),
});

/** Whether it is still undecided after everything that is ready has run. */
async function waits(passage: Promise<Passage>): Promise<boolean> {
  const nothing = Symbol();
  return (await Promise.race([passage, passing(30, nothing)])) === nothing;
}

describe("a call that a hold stops", () => {
  it("goes as soon as another call of this process gives room back, and says how long it waited", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    const first = await decide(one, of("acme"));
    const second = decide(one, of("acme"));
    // By then it looks of itself but every half second or so.
    await passing(900);
    const counted = counting(one);
    const freed = performance.now();
    await answer(one, first);
    expect((await second).kind).toBe("go");
    expect(performance.now() - freed).toBeLessThan(150);
    expect(counted.judgements).toBe(1);
    expect(one.decided[0]?.waited).toBeNull();
    expect(one.decided[1]).toMatchObject({ refused: false, waited: { hold: expect.any(Number), backoff: 0 } });
    expect(one.decided[1]?.waited?.hold).toBeGreaterThan(0.025);
    await answer(one, await second);
  });

  it("is refused when the hold runs out, with the time that it waited, and holds nothing", async () => {
    const one = world("tenant.concurrency > 1 -> hold 300ms");
    const first = await decide(one, of("acme"));
    const began = performance.now();
    const refused = await decide(one, of("acme"));
    const waited = performance.now() - began;
    expect(waited).toBeGreaterThanOrEqual(299);
    expect(waited).toBeLessThan(2_000);
    expect(refused.kind).toBe("refuse");
    expect(message(refused)).toMatch(
      /tenant "acme" would reach 2 of 1 calls in flight \(rule "tenant\.concurrency > 1 -> hold 300ms", .*\)\..* It waited [3-9]\d\d milliseconds for room\.$/,
    );
    expect(one.decided[1]).toMatchObject({ refused: true, verdict: { kind: "hold" } });
    expect(one.decided[1]?.waited?.hold).toBeCloseTo(waited / 1000, 1);
    expect(await spent(one, "tenant.concurrency")).toEqual([0, 1]);
    await answer(one, first);
  });

  it("goes when a window has passed", async () => {
    const one = world("tenant.calls.hourly > 1 -> hold 10s");
    await answer(one, await decide(one, of("acme")));
    const second = decide(one, of("acme"));
    expect(await waits(second)).toBe(true);
    one.time += 3_600_000;
    expect((await second).kind).toBe("go");
  });

  it("is refused at once when something stricter decides meanwhile", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s\nrun.calls > 100 -> deny");
    await decide(one, of("acme"));
    const second = decide(one, of("acme"));
    expect(await waits(second)).toBe(true);
    await one.store.close("|tenant=acme", null);
    expect(message(await second)).toContain('tenant "acme" was paused by hand');
    expect(one.decided[1]?.verdict.kind).toBe("pause");
  });

  it("is refused by the shortest of the holds that fired", async () => {
    const one = world("long: tenant.concurrency > 1 -> hold 10s\nshort: global.concurrency > 1 -> hold 100ms");
    await decide(one, of("acme"));
    const refused = await decide(one, of("acme"));
    expect(message(refused)).toContain('(rule "short"');
  });

  it("is refused at once where no waiting will ever make room", async () => {
    const one = world("tenant.hourly > $0.0001 -> hold 10s");
    const began = performance.now();
    const refused = await decide(one, of("acme"));
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(message(refused)).toContain("This call alone is over the limit");
    expect(one.decided[0]).toMatchObject({ refused: true, waited: null });
  });

  it("is not held in shadow mode, where it is said what would be", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s", { mode: "shadow" });
    await decide(one, of("acme"));
    expect((await decide(one, of("acme"))).kind).toBe("go");
    expect(one.decided[1]).toMatchObject({ refused: false, waited: null, verdict: { kind: "hold" } });
    expect(one.said.join("")).toContain("would have been held until there is room, but for shadow");
  });

  it("waits on the local share too while the ledger is away", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    one.down = true;
    const first = await decide(one, of("acme"));
    const second = decide(one, of("acme"));
    expect(await waits(second)).toBe(true);
    await answer(one, first);
    expect((await second).kind).toBe("go");
  });
});

describe("a caller who hangs up while its call waits", () => {
  it("ends the wait at once, holds nothing and lets the next one through", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    const first = await decide(one, of("acme"));
    const caller = new AbortController();
    const second = decide(one, of("acme"), caller.signal);
    const third = decide(one, of("acme"));
    expect(await waits(second)).toBe(true);
    caller.abort();
    expect(await second).toMatchObject({ kind: "throw", error: { name: "AbortError" } });
    await answer(one, first);
    expect((await third).kind).toBe("go");
    expect(await spent(one, "tenant.concurrency")).toEqual([0, 1]);
    expect(one.decided).toHaveLength(2);
  });

  it("gives back what was held for it in the very moment that it left", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    const first = await decide(one, of("acme"));
    const caller = new AbortController();
    const judge = one.store.judge.bind(one.store);
    const second = decide(one, of("acme"), caller.signal);
    expect(await waits(second)).toBe(true);
    one.store.judge = async (request) => {
      const judged = await judge(request);
      if (judged.held) caller.abort();
      return judged;
    };
    await answer(one, first);
    expect((await second).kind).toBe("throw");
    await one.guard.settled();
    expect(await spent(one, "tenant.concurrency")).toEqual([0, 0]);
  });
});

describe("many calls that wait", () => {
  it("are served first come first served, and each is let go once", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    let open = await decide(one, of("acme"));
    const order: number[] = [];
    const waiting = Array.from({ length: 20 }, (_, index) =>
      decide(one, of("acme")).then((passage) => {
        order.push(index);
        return passage;
      }),
    );
    await passing(20);
    for (const next of waiting) {
      await answer(one, open);
      open = await next;
    }
    await answer(one, open);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(await spent(one, "tenant.concurrency")).toEqual([0, 0]);
  });

  it("ask the store as one, however many they are", async () => {
    const one = world("tenant.concurrency > 1 -> hold 1s");
    await decide(one, of("acme"));
    const counted = counting(one);
    const results = await Promise.all(Array.from({ length: 300 }, () => decide(one, of("acme"))));
    expect(results.every(({ kind }) => kind === "refuse")).toBe(true);
    // Each is judged when it comes; the looks of a second, and the last one, are few.
    expect(counted.judgements - 300).toBeLessThan(40);
    expect(counted.judgements - 300).toBeGreaterThan(2);
  });

  it("ask no more than a hundred times a second, for however many tenants they wait", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    const caller = new AbortController();
    const tenants = Array.from({ length: 300 }, (_, index) => `tenant-${index}`);
    await Promise.all(tenants.map((tenant) => decide(one, of(tenant))));
    const waiting = tenants.map((tenant) => decide(one, of(tenant), caller.signal));
    expect(await waits(Promise.race(waiting))).toBe(true);
    const counted = counting(one);
    await passing(1_000);
    expect(counted.judgements).toBeGreaterThan(10);
    expect(counted.judgements).toBeLessThan(200);
    caller.abort();
    await Promise.all(waiting);
  });

  it("are let go together where room returns for all, though the store is far away", async () => {
    const one = world("tenant.calls.hourly > 100 -> hold 10s");
    const judge = one.store.judge.bind(one.store);
    for (let calls = 0; calls < 100; calls++) await answer(one, await decide(one, of("acme")));
    one.store.judge = async (request) => {
      await passing(20);
      return judge(request);
    };
    const waiting = Array.from({ length: 100 }, () => decide(one, of("acme")));
    expect(await waits(Promise.race(waiting))).toBe(true);
    one.time += 3_600_000;
    const began = performance.now();
    const passages = await Promise.all(waiting);
    expect(passages.every(({ kind }) => kind === "go")).toBe(true);
    // One after the other they would take two seconds.
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("do not ask more often because calls end that make no room", async () => {
    const one = world("tenant.calls.hourly > 60 -> hold 10s");
    const open = await Promise.all(Array.from({ length: 60 }, () => decide(one, of("acme"))));
    const caller = new AbortController();
    const waiting = Array.from({ length: 5 }, () => decide(one, of("acme"), caller.signal));
    expect(await waits(Promise.race(waiting))).toBe(true);
    const counted = counting(one);
    const began = performance.now();
    for (const passage of open) await answer(one, passage);
    const looks = (performance.now() - began) / 20 + 3;
    expect(counted.judgements).toBeLessThan(Math.min(60, looks));
    caller.abort();
    await Promise.all(waiting);
  });

  it("are refused by the figures of the last look, not by those of their arrival", async () => {
    const one = world("tenant.calls last 10m > 4 -> hold 400ms");
    await answer(one, await decide(one, of("acme")));
    const open = await Promise.all([decide(one, of("acme")), decide(one, of("acme")), decide(one, of("acme"))]);
    const waiting = [decide(one, of("acme")), decide(one, of("acme"))];
    expect(await waits(Promise.race(waiting))).toBe(true);
    await one.store.settle({
      attempt: "elsewhere",
      judgedAt: one.time,
      charges: [{ key: "tenant.calls.last 10m|acme", window: { kind: "last", ms: 600_000 }, amount: 30 }],
      run: "other",
      fingerprint: null,
      outcome: "success",
      lessons: [],
    });
    const messages = (await Promise.all(waiting)).map(message);
    expect(messages[0]).toContain("would reach 35 of 4 calls");
    expect(messages[1]).toContain("would reach 35 of 4 calls");
    for (const passage of open) await answer(one, passage);
  });

  it("let none pass by that comes later and wants as much", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    const first = await decide(one, of("acme"));
    const order: string[] = [];
    const noting = (name: string) => (passage: Passage) => {
      order.push(name);
      return passage;
    };
    const second = decide(one, of("acme")).then(noting("second"));
    expect(await waits(second)).toBe(true);
    // Both happen in one turn: the room is free before the line has looked.
    const settled = answer(one, first);
    const third = decide(one, of("acme")).then(noting("third"));
    await settled;
    await answer(one, await second);
    await answer(one, await third);
    expect(order).toEqual(["second", "third"]);
  });

  it("let a smaller call pass where a larger one finds no room", async () => {
    // A call with max_tokens 100 costs $0.001 and a little.
    const one = world("tenant.hourly > $0.004 -> hold 10s");
    const open = await decide(one, of("acme", { max_tokens: 200 }));
    const large = decide(one, of("acme", { max_tokens: 300 }));
    expect(await waits(large)).toBe(true);
    const small = await decide(one, of("acme", { max_tokens: 50 }));
    expect(small.kind).toBe("go");
    await answer(one, small, { prompt_tokens: 1, completion_tokens: 1 });
    expect(await waits(large)).toBe(true);
    await answer(one, open, { prompt_tokens: 1, completion_tokens: 1 });
    expect((await large).kind).toBe("go");
  });

  it("of other tenants are not kept waiting", async () => {
    const one = world("tenant.concurrency > 1 -> hold 10s");
    await decide(one, of("acme"));
    expect(await waits(decide(one, of("acme")))).toBe(true);
    expect((await decide(one, of("globex"))).kind).toBe("go");
  });
});

describe("backoff", () => {
  const policy = "call.retries > 0 -> backoff 40ms\ntenant.concurrency > 5 -> deny";
  const retry = (count: number) => ({ ...of("acme"), headers: { "x-stainless-retry-count": String(count) } });

  it("sleeps before a retry leaves, twice as long before each further one, while its amounts are held", async () => {
    const one = world(policy);
    for (const [count, ms] of [
      [0, 0],
      [1, 40],
      [2, 80],
      [3, 160],
    ] as const) {
      const began = performance.now();
      const passage = decide(one, retry(count));
      if (ms > 40) {
        expect(await waits(passage)).toBe(true);
        expect((await one.store.read([{ key: "tenant.concurrency|(none)", window: { kind: "now" } }]))[0]?.held).toBe(
          1,
        );
      }
      await answer(one, await passage);
      expect(performance.now() - began).toBeGreaterThanOrEqual(ms - 1);
    }
    expect(one.decided.map(({ waited }) => waited?.backoff ?? null)).toEqual([null, 0.04, 0.08, 0.16]);
  });

  it("ends when the caller leaves, and gives back what was held", async () => {
    const one = world(policy.replace("40ms", "20s"));
    const caller = new AbortController();
    const passage = decide(one, retry(1), caller.signal);
    expect(await waits(passage)).toBe(true);
    caller.abort();
    expect((await passage).kind).toBe("throw");
    await one.guard.settled();
    expect((await one.store.read([{ key: "tenant.concurrency|(none)", window: { kind: "now" } }]))[0]?.held).toBe(0);
  });
});
