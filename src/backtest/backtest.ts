/**
 * Logs against a policy, or against two: the whole road from files to figures.
 * @module
 */
import type { Prices } from "../call/price.ts";
import type { Plan } from "../policy/plan.ts";
import { Comparison } from "./compare.ts";
import { Order } from "./order.ts";
import { Fingerprints } from "./prints.ts";
import { callsOf, type Leftovers } from "./read.ts";
import type { Recorded } from "./recorded.ts";
import { Simulation } from "./simulate.ts";
import { count, newTally, type Tally } from "./tally.ts";

export interface BacktestOptions {
  readonly paths: readonly string[];
  readonly plan: Plan;
  /** A second policy over the same calls. */
  readonly against: Plan | null;
  readonly prices: Prices;
  /** ms after which somebody resumes what is paused; null: nobody does. */
  readonly resumeAfterMs: number | null;
  /** Told of bytes as they are read. */
  readonly progress: (bytes: number) => void;
  /** How many calls may wait to be sorted. */
  readonly window?: number;
}

export interface Backtest {
  readonly tally: Tally;
  readonly against: { readonly tally: Tally; readonly comparison: Comparison } | null;
  readonly leftovers: Leftovers;
  readonly duplicates: number;
  readonly doubles: number;
  readonly late: number;
}

/** Replays the files, read once, in bounded memory. */
export async function backtest(options: BacktestOptions): Promise<Backtest> {
  const { plan, prices, resumeAfterMs } = options;
  const tally = newTally(plan);
  const against = options.against === null ? null : { tally: newTally(options.against), comparison: new Comparison() };
  const ours = new Simulation({
    plan,
    prices,
    resumeAfterMs,
    decided: (fate) => {
      count(tally, fate);
      against?.comparison.add(fate, "ours");
    },
  });
  const theirs =
    options.against === null || against === null
      ? null
      : new Simulation({
          plan: options.against,
          prices,
          resumeAfterMs,
          decided: (fate) => {
            count(against.tally, fate);
            against.comparison.add(fate, "theirs");
          },
        });

  const order = new Order(options.window);
  const prints = new Fingerprints();
  const leftovers: Leftovers = { others: 0, unusable: new Map() };
  let index = 0;
  const replay = async (recorded: Recorded): Promise<void> => {
    const fingerprint = prints.of(recorded);
    await ours.offer(index, recorded, fingerprint);
    await theirs?.offer(index, recorded, fingerprint);
    index += 1;
  };
  for (const path of options.paths) {
    for await (const recorded of callsOf(path, { prices, leftovers, progress: options.progress })) {
      for (const next of order.push(recorded)) await replay(next);
    }
  }
  for (const next of order.end()) await replay(next);
  await ours.finish();
  await theirs?.finish();
  const { duplicates, doubles, late } = order;
  return { tally, against, leftovers, duplicates, doubles, late };
}
