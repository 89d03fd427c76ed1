/**
 * A ledger of a test's project, filled as the guard would fill it.
 * @module
 */
import { randomUUID } from "node:crypto";
import { NONE, type Subject } from "../../src/call/call.ts";
import { meterKey } from "../../src/keys.ts";
import { compile } from "../../src/policy/compile.ts";
import type { Metric, Plan } from "../../src/policy/plan.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { type Folder, NOON } from "./command.ts";

export const DOLLAR = 1e9;

/** The plan of a policy text; throws where it has errors. */
export function planOf(text: string): Plan {
  const { plan, diagnostics } = compile([{ file: "policies/test.budget", text }]);
  if (plan === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return plan;
}

/** Opens the project's default ledger, or the store of this URL, for `use`. */
export async function inLedger<T>(
  { path }: Pick<Folder, "path">,
  use: (store: Store) => Promise<T>,
  url = "file:.budget-guard/ledger.db",
  clock: () => number = () => NOON,
): Promise<T> {
  const store = await openStore(url, { root: path, clock });
  try {
    return await use(store);
  } finally {
    await store.shut();
  }
}

type Amounts = Partial<Readonly<Record<Metric, number>>>;

/** Charges these amounts (nano-dollars, counts) to every meter of the plan for this subject. */
export const spend = (store: Store, plan: Plan, subject: Subject, amounts: Amounts): Promise<boolean> =>
  store.settle({
    attempt: randomUUID(),
    judgedAt: NOON,
    charges: plan.meters.map((meter) => ({
      key: meterKey(meter, subject),
      window: meter.window,
      amount: amounts[meter.metric] ?? 0,
    })),
    run: subject.run ?? NONE,
    fingerprint: null,
    outcome: "success",
    lessons: [],
  });

/** Holds these amounts on every meter of the plan for this subject, as a call in flight does. */
export async function hold(store: Store, plan: Plan, subject: Subject, amounts: Amounts): Promise<void> {
  const { held } = await store.judge({
    attempt: randomUUID(),
    holdMs: 60_000,
    meters: plan.meters.map((meter) => ({
      key: meterKey(meter, subject),
      window: meter.window,
      add: amounts[meter.metric] ?? 0,
      floor: 0,
    })),
    stops: [],
    gates: [],
    limits: [],
    run: subject.run ?? NONE,
    fingerprint: null,
    sdkRetry: null,
  });
  if (!held) throw new Error("the store held nothing");
}
