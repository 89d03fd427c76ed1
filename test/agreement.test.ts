import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import { PolicyError } from "../src/errors.ts";
import type { Passage } from "../src/hook/exchange.ts";
import { strictness } from "../src/policy/verdict.ts";
import type { Judgement } from "../src/store/store.ts";
import { chat, decide, endWorlds, type World, world } from "./support/a-guard.ts";

afterEach(endWorlds);

const metered = fc.constantFrom(
  ...["$0.001", "$0.004", "$0.009"].map((limit) => ["", limit] as const),
  ...[".tokens", ".input_tokens", ".output_tokens"].flatMap((metric) => [
    [metric, "100"] as const,
    [metric, "700"] as const,
  ]),
  ...[".calls", ".retries", ".repeats", ".errors"].flatMap((metric) => [
    [metric, "1"] as const,
    [metric, "4"] as const,
  ]),
  [".retries", "30%"] as const,
  [".errors", "50%"] as const,
);

/** Limits by name, of every kind: from tables and from the store, one after the other, shares of them, and none at all. */
const NAMES = `limit table by tenant { "a": $0.004 } else $0.009
limit kept by tenant from store else table
limit many by user from store else 3
limit none by tenant { "b": unlimited } else 700
budget margin = kept of tenant.daily
budget most = table of tenant.hourly
`;
const named = fc.constantFrom(
  "tenant.daily > kept",
  "tenant.feature.hourly >= table",
  "run.calls >= many",
  "user.calls last 1h > many",
  "call.cost > kept",
  "call.retries > many",
  "tenant.tokens.daily > none",
  "margin >= 77%",
  "margin > 100%",
  "most > 33%",
  "most >= 50%",
  "feature.hourly > 13% of margin",
);

const scope = fc.constantFrom("global", "tenant", "feature", "run", "tenant.feature", "model", "tenant.model", "user");
const window = fc.constantFrom(".hourly", ".daily", ".monthly", " last 5m", " last 1h");
const condition = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(scope, metered, window, fc.constantFrom(">", ">="))
      .map(([of, [metric, limit], over, op]) => `${of}${metric}${over} ${op} ${limit}`),
  },
  { weight: 2, arbitrary: named },
  { weight: 1, arbitrary: scope.map((of) => `${of}.concurrency > 2`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("tenant.runs last 5m > 1", "global.runs.hourly >= 2", "user.runs.daily > 1"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "call.cost > $0.0005",
      "call.output_tokens >= 60",
      "call.retries > 0",
      "call.tokens > 50",
    ),
  },
);
const filter = fc.constantFrom(
  "",
  "",
  ' when tenant == "a"',
  ' when tenant != "a"',
  ' when model matches "test-*"',
  " when user is missing",
);
const action = fc.constantFrom(
  "deny",
  "deny",
  "deny for 2m",
  "pause",
  "warn",
  'deny, warn "x"',
  "cap 20 tokens",
  "hold 2ms",
  "hold 1ms",
  "backoff 1ms",
);
const rule = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(condition, fc.option(condition), filter, action)
      .map(([one, two, when, does]) => `${one}${two === null ? "" : ` and ${two}`}${when} -> ${does}`),
  },
  { weight: 1, arbitrary: condition.map((one) => `shadow ${one} -> pause`) },
  { weight: 1, arbitrary: fc.constantFrom("call.unpriced -> deny", "call.unmetered -> deny") },
);

type Ending = "answer" | "error" | "reset" | "abort";

interface Step {
  readonly tenant: string;
  readonly feature: string;
  readonly run: string;
  readonly user: string | undefined;
  readonly model: string;
  readonly content: string;
  readonly maxTokens: number;
  readonly unmetered: boolean;
  readonly ms: number;
  readonly gate: string | null;
  readonly reopen: boolean;
  readonly limit: readonly [key: string, amount: number | null] | null;
  readonly ends: readonly Ending[];
}

const step: fc.Arbitrary<Step> = fc.record({
  tenant: fc.constantFrom("a", "b"),
  feature: fc.constantFrom("x", "y"),
  run: fc.constantFrom("r1", "r2"),
  user: fc.constantFrom("u", undefined),
  model: fc.constantFrom("test-model", "test-model", "no-such-model"),
  content: fc.constantFrom("one", "two"),
  maxTokens: fc.integer({ min: 1, max: 100 }),
  unmetered: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
  ms: fc.integer({ min: 0, max: 90_000 }),
  gate: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom("|", "|tenant=a", "|run=r1") },
  ),
  reopen: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  limit: fc.oneof(
    { weight: 6, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.constantFrom("kept|tenant=a", "kept|tenant=b", "many|user=u", "many|user=(none)"),
        fc.constantFrom(null, 0, 1, 5_000_000, 7_777_777, Number.POSITIVE_INFINITY),
      ),
    },
  ),
  ends: fc.array(fc.constantFrom<Ending>("answer", "answer", "error", "reset", "abort"), { maxLength: 3 }),
});

/** Rules that make sense together; what the checker refuses is left out. */
function policyOf(rules: readonly string[]): string {
  return rules.reduce((text, line) => {
    try {
      world(`${text}${line}\n`);
      return `${text}${line}\n`;
    } catch (error) {
      if (error instanceof PolicyError) return text;
      throw error;
    }
  }, NAMES);
}

function end({ tap, run }: Extract<Passage, { kind: "go" }>, how: Ending): void {
  run(() => {});
  if (how === "reset") tap.fail({ kind: "network", code: "ECONNRESET" });
  else if (how === "abort") tap.fail({ kind: "abort", code: "ABORT_ERR" });
  else {
    tap.head(how === "error" ? 500 : 200, {});
    tap.chunk(Buffer.from('{"model":"test-model","usage":{"prompt_tokens":9,"completion_tokens":90}}'));
    tap.end();
  }
}

/** What the store answered to the last judgement. */
function listening(one: World): () => Judgement | null {
  let last: Judgement | null = null;
  for (const store of [one.store, one.store.local]) {
    const judge = store.judge.bind(store);
    Object.assign(store, {
      judge: async (request: Parameters<typeof judge>[0]) => {
        last = await judge(request);
        return last;
      },
    });
  }
  return () => last;
}

describe("the verdict and the ledger", () => {
  it("agree on every call: what is let go is held, what is refused is not, and nothing stays held", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 7 }),
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 0, max: 4 }),
        async (rules, steps, away) => {
          const one = world(policyOf(rules));
          // Every fifth history is judged by this process alone.
          one.down = away === 0;
          const judged = listening(one);
          const out: Extract<Passage, { kind: "go" }>[] = [];
          for (const {
            tenant,
            feature,
            run,
            user,
            model,
            content,
            maxTokens,
            unmetered,
            ms,
            gate,
            reopen,
            limit,
            ends,
          } of steps) {
            one.time += ms;
            if (gate !== null && !one.down) await one.store.close(gate, null);
            if (limit !== null && !one.down) await one.store.setLimit(...limit);
            if (reopen && !one.down) await one.store.open((await one.store.gates()).map(({ key }) => key));
            const body = chat({ model, max_tokens: maxTokens, messages: [{ role: "user", content }] });
            const path = unmetered ? "/v1/images/generations" : "/v1/chat/completions";
            const passage = await withBudget({ tenant, feature, run, user }, () => decide(one, { body, path }));
            const held = judged()?.held;
            const verdict = one.decided.at(-1)?.verdict;
            expect([passage.kind, verdict !== undefined && strictness[verdict.kind] >= strictness.hold]).toEqual(
              held ? ["go", false] : ["refuse", true],
            );
            if (passage.kind === "go") out.push(passage);
            for (const how of ends) {
              const next = out.shift();
              if (next !== undefined) end(next, how);
            }
            await one.guard.settled();
          }
          for (const passage of out) end(passage, "abort");
          await one.guard.settled();
          expect(one.decided).toHaveLength(steps.length);
          expect((await one.status()).meters.filter((row) => row.held !== 0)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);
});
