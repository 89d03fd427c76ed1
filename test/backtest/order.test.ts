import { describe, expect, it } from "vitest";
import { TimeQueue } from "../../src/backtest/heap.ts";
import { Order } from "../../src/backtest/order.ts";
import type { Recorded } from "../../src/backtest/recorded.ts";
import { aRecorded } from "./recorded.ts";

const ids = (all: Iterable<Recorded>): string[] => [...all].map(({ id }) => id);

describe("an order", () => {
  it("sorts what is written when calls end by when they began", () => {
    const order = new Order();
    for (const [id, at] of Object.entries({ c: 3, a: 1, d: 4, b: 2 })) order.push(aRecorded({ id, at }));
    expect(ids(order.end())).toEqual(["a", "b", "c", "d"]);
  });

  it("hands out the earliest once more wait than its window holds, and says which came too late for it", () => {
    const order = new Order(2);
    const out = [5, 3, 9, 1, 7].flatMap((at) => order.push(aRecorded({ id: String(at), at })));
    expect([...ids(out), ...ids(order.end())]).toEqual(["3", "1", "5", "7", "9"]);
    expect(order.late).toBe(1);
  });

  it("drops the same call told twice", () => {
    const order = new Order();
    for (const id of ["a", "b", "a", "a"]) order.push(aRecorded({ id, at: 1 }));
    expect(ids(order.end())).toEqual(["a", "b"]);
    expect(order.duplicates).toBe(2);
  });

  it("drops a span around another one of the same call, in whichever order they come", () => {
    const order = new Order();
    order.push(aRecorded({ id: "t/outer", at: 1, guarded: false }));
    order.push(aRecorded({ id: "t/inner", at: 2, parent: "t/outer" }));
    order.push(aRecorded({ id: "t/alone", at: 3, guarded: false, parent: "t/agent" }));
    order.push(aRecorded({ id: "u/inner", at: 5, guarded: false, parent: "u/framework" }));
    order.push(aRecorded({ id: "u/framework", at: 4, guarded: false, parent: null }));
    expect(ids(order.end())).toEqual(["t/inner", "t/alone", "u/inner"]);
    expect(order.doubles).toBe(2);
  });
});

describe("a queue by time", () => {
  it("gives the earliest, and of equals the one that came first", () => {
    const queue = new TimeQueue<number>();
    const times = Array.from({ length: 500 }, (_, n) => (n * 7919) % 50);
    times.forEach((at, n) => {
      queue.push(at, n);
    });
    const out: { at: number; value: number }[] = [];
    while (queue.size > 0) {
      const next = queue.pop();
      if (next !== undefined) out.push(next);
    }
    expect(out).toEqual(
      times.map((at, value) => ({ at, value, order: value })).sort((a, b) => a.at - b.at || a.value - b.value),
    );
    expect(queue.next).toBe(Number.POSITIVE_INFINITY);
  });
});
