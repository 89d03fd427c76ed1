/**
 * The factors of Max_Burn as a table shows them: what each is at most, and the rule that sees to it.
 * @module
 */
import type { Burn, Ceiling } from "../policy/burn.ts";
import type { Rule } from "../policy/plan.ts";
import { dollars, figure, percent } from "./figures.ts";

export interface Factor {
  readonly name: string;
  /** A count, tokens or dollars; null where nothing bounds it. */
  readonly value: number | null;
  readonly text: string;
  readonly rule: Rule | null;
  /** What bounds it where no rule does. */
  readonly otherwise: string | null;
}

export const usd = (nano: number): number => nano / 1e9;
export const money = (nano: number): string => dollars(usd(nano));
export const placeOf = ({ file, line }: Rule): string => `${file}:${line}`;
const number = (amount: number): string => figure(amount, "count");

/** `for each tenant and user`; empty for everything together. */
export const forEach = (scopes: readonly string[]): string =>
  scopes.length === 0 ? "" : ` for each ${scopes.join(" and ")}`;

/** Every factor, bounded or not, in the order of the formula. */
export function factorsOf(burn: Burn): readonly Factor[] {
  const { call, iterations, run, parallel } = burn;
  if (call === null) return [];
  const { input, output, cost, model, asked, route } = call;
  const rateRule = route ?? cost.rule;
  const factors: Factor[] = [
    iterations === null
      ? { name: "iterations", value: null, text: "without end", rule: null, otherwise: null }
      : factor("iterations", iterations.amount, `${number(iterations.amount)} calls a run`, iterations.rule),
    factor("input tokens", input.tokens, `${number(input.tokens)} a call`, input.rule, "as much as the model can take"),
    factor(
      "output tokens",
      output.tokens,
      `${number(output.tokens)} a call`,
      output.rule,
      "as much as the model can make",
    ),
    factor(
      "model rate",
      usd(cost.nano),
      `${model.model}${route === null ? "" : ` in place of ${asked.model}`}: ${money(cost.nano)} a call`,
      rateRule,
      "the dearest that may be asked for",
    ),
    retriesOf(burn),
    parallel === null
      ? { name: "concurrency", value: null, text: "any number of runs", rule: null, otherwise: null }
      : {
          name: "concurrency",
          value: parallel.most,
          text: `${number(parallel.most)} at once${forEach(parallel.scopes)}`,
          rule: parallel.bound?.rule ?? null,
          otherwise: parallel.bound === null ? "--concurrency" : null,
        },
  ];
  return run === null
    ? factors
    : [...factors, factor("one run", usd(run.nano), `${money(run.nano)} at most`, run.bound.rule)];
}

const factor = (name: string, value: number, text: string, rule: Rule | null, otherwise = ""): Factor => ({
  name,
  value,
  text,
  rule,
  otherwise: rule === null && otherwise !== "" ? otherwise : null,
});

/** Attempts of one call; a share of all calls where only that is limited. */
function retriesOf({ call, iterations, retries }: Burn): Factor {
  const name = "retries";
  const attempts = call?.attempts ?? null;
  if (attempts !== null) return factor(name, attempts.most, `${number(attempts.most)} attempts a call`, attempts.rule);
  if (retries !== null && retries.millionths !== null) {
    const share = retries.millionths / 1_000_000;
    const most = share < 1 ? 1 / (1 - share) : null;
    return { name, value: most, text: `${percent(share)} of calls`, rule: retries.rule, otherwise: null };
  }
  if (retries !== null) return { name, value: null, text: "a number of them", rule: retries.rule, otherwise: null };
  const [text, otherwise] =
    iterations === null
      ? (["without end", null] as const)
      : (["within the calls of a run", "each attempt is a call"] as const);
  return { name, value: null, text, rule: null, otherwise };
}

/** What sees to a ceiling, in a few words. */
export function reasonOf({ by }: Ceiling): string {
  if (by.kind === "runs") return `${number(by.parallel.most)} runs at once x ${money(by.run)}`;
  if (by.final) return `all that a loop can spend in a month without ever running into ${by.rule.id}`;
  return `all that ${by.rule.id} lets go in a month with nobody looking`;
}
