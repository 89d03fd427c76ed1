/**
 * Random policies on random histories: what must hold whatever the rules are.
 * @module
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import { indexRules } from "../../src/policy/match.ts";
import { strictness } from "../../src/policy/verdict.ts";
import { callOf, Life, NaiveLife, planOf, planOfFiles, reader, told } from "./history.ts";
import {
  DECLARATIONS,
  filesOf,
  type RandomRule,
  randomPolicy,
  randomRule,
  randomStart,
  randomSteps,
  ruleText,
} from "./random-policy.ts";

const scene = fc.record({ policy: randomPolicy, steps: randomSteps, start: randomStart });

describe("whatever the policy and whatever happened before", () => {
  it("verdict, hold and ledger are those of a naive reading of its text", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ policy, steps, start }) => {
        const texts = filesOf(policy);
        const life = new Life(planOfFiles(texts), start);
        const naive = new NaiveLife(texts);
        for (const step of steps) {
          life.time += step.wait;
          if (step.kind !== "call") {
            await life.live(step);
            naive.live(step, life.time);
            continue;
          }
          const call = callOf(step);
          const { verdict, held, attemptNumber, repeat } = await life.judge(call);
          const { firing: _, retry, ...answer } = naive.judge(call, life.time);
          expect({ ...told(verdict), repeat, attemptNumber }).toEqual({ ...answer, attemptNumber: retry });
          expect(held).toBe(strictness[verdict.kind] < strictness.hold);
          const { closed = [], fired = [] } = life.judgement ?? {};
          expect(held).toBe(fired.length === 0 && closed.every((gate) => gate === null));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("the order of rules, of files and of imports means nothing", async () => {
    await fc.assert(
      fc.asyncProperty(scene, fc.infiniteStream(fc.nat(50)), async ({ policy, steps, start }, dice) => {
        const roll = (sides: number): number => (dice.next().value ?? 0) % sides;
        const zone = policy.timezone === null ? "" : `timezone "${policy.timezone}"\n`;
        const parts: string[] = [`${zone}${DECLARATIONS}`, zone, zone, zone];
        const shuffled: string[] = [];
        const labelled = policy.rules.map((rule, at) => `${ruleText(rule, `r${at}`)}\n`);
        for (const text of labelled) shuffled.splice(roll(shuffled.length + 1), 0, text);
        for (const text of shuffled) parts[roll(4)] += text;
        // Each file is named, or imported by one of those before it, or both.
        const imported = parts.map((text, at) => {
          const below = parts.flatMap((_, other) => (other > at && roll(2) === 0 ? [other] : []));
          const lines = below.map((other) => `import "./p${other}.budget"\n`);
          return roll(2) === 0 ? `${lines.join("")}${text}` : `${text}${lines.reverse().join("")}`;
        });
        const files = imported.map((text, at) => ({ file: `p${at}.budget`, text }));
        const reached = new Set(
          imported.flatMap((text) => [...text.matchAll(/^import "\.\/(.*)"$/gm)].map(([, file]) => file)),
        );
        const named = files.filter(({ file }) => !reached.has(file) || roll(2) === 0);
        for (let at = named.length - 1; at > 0; at--) named.push(...named.splice(roll(at + 1), 1));

        const one = new Life(planOfFiles(filesOf(policy)), start);
        const other = new Life(planOf(named, reader(files)), start);
        for (const step of steps) {
          for (const life of [one, other]) life.time += step.wait;
          if (step.kind !== "call") for (const life of [one, other]) await life.live(step);
          else {
            const call = callOf(step);
            const [here, there] = [await one.judge(call), await other.judge(call)];
            expect(told(there.verdict)).toEqual(told(here.verdict));
            expect(there.held).toBe(here.held);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("one more rule never loosens a verdict on the same history", async () => {
    await fc.assert(
      fc.asyncProperty(scene, randomRule, async ({ policy, steps, start }, extra) => {
        const [declarations = "", rules = ""] = filesOf(policy);
        const plan = planOfFiles([declarations, `${rules}${ruleText(extra, "extra")}\n`]);
        const last = steps.findLastIndex(({ kind }) => kind === "call");
        const final = steps[last];
        if (final?.kind !== "call") return;
        const call = callOf(final);
        const without = new Life(plan, start);
        const together = new Life(plan, start);
        // Both live by the rules without the new one, so that the same has happened when it comes.
        const lived = steps
          .slice(0, last)
          .map((step) => (step.kind === "call" ? { step, call: callOf(step) } : { step }));
        const earlier = indexRules({ ...plan, rules: plan.rules.filter(({ id }) => id !== "extra") });
        for (const life of [without, together]) {
          for (const { step, call: made } of lived) {
            life.time += step.wait;
            if (made !== undefined) await life.judge(made, earlier(made));
            else await life.live(step);
          }
          life.time += final.wait;
        }
        const loose = (await without.judge(call, earlier(call))).verdict;
        const strict = (await together.judge(call)).verdict;
        expect(strictness[strict.kind]).toBeGreaterThanOrEqual(strictness[loose.kind]);
        for (const said of ["warnings", "waits"] as const)
          expect(told(strict)[said]).toEqual(expect.arrayContaining([...told(loose)[said]]));
      }),
      { numRuns: 400 },
    );
  });

  it("a rule reported as unreachable fires only where another stops the call anyway", () => {
    let reported = 0;
    const stopping = ({ text, shadow }: RandomRule): boolean => !shadow && / -> .*(deny|pause)/.test(text);
    fc.assert(
      fc.property(scene, ({ policy, steps, start }) => {
        const texts = filesOf(policy);
        const { diagnostics } = compile(
          texts.map((text, at) => ({ file: `f${at}.budget`, text })),
          { read: reader([]) },
        );
        const useless = diagnostics.flatMap(({ code, file, span }) => {
          if (code !== "unreachable" || file !== "f1.budget") return [];
          const line = (texts[1] ?? "").slice(0, span.start).split("\n").length - 1;
          return [line - (policy.timezone === null ? 0 : 1)];
        });
        if (useless.length === 0) return;
        reported += useless.length;
        const naive = new NaiveLife(texts);
        let now = start;
        for (const step of steps) {
          now += step.wait;
          if (step.kind !== "call") {
            naive.live(step, now);
            continue;
          }
          const { firing } = naive.judge(callOf(step), now);
          for (const at of useless) {
            const others = policy.rules.filter(
              (rule, other) => other !== at && stopping(rule) && firing.includes(`r${other}`),
            );
            expect(!firing.includes(`r${at}`) || others.length > 0, texts[1]).toBe(true);
          }
        }
      }),
      { numRuns: 1_500 },
    );
    expect(reported).toBeGreaterThan(20);
  });
});
