import { expect, test } from "vitest";
import { Waiting } from "../../src/store/waiting.ts";
import { aCharge, aSettlement, hourly } from "./asks.ts";

test("what was added up of very many runs is taken out whole, and no amount of it is lost", () => {
  const waiting = new Waiting(1);
  const charges = [aCharge(), { key: "tenant.runs.hourly|acme", window: hourly, amount: "run" as const }];
  const count = 200_000;
  for (let n = 0; n < count; n++) waiting.push(aSettlement(`a${n}`, 0, { run: `r${n}`, charges }));
  let spent = 0;
  const runs = new Set<string>();
  while (waiting.size > 0) {
    for (const { run, charges } of waiting.take(10_000)) {
      for (const { amount } of charges) {
        if (typeof amount === "number") spent += amount;
        else runs.add(run);
      }
    }
  }
  expect(spent).toBe(count * 10);
  expect(runs.size).toBe(count);
});
