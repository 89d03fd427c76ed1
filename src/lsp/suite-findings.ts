/**
 * What is wrong with a test suite before it is run: its syntax, and names that its policy does not have.
 * @module
 */
import type { TestNode } from "../policy/ast.ts";
import type { Finding } from "../policy/finding.ts";
import type { Plan } from "../policy/plan.ts";
import { closest } from "../policy/suggest.ts";
import { contextFor, ruleNamed, timeOf } from "../policy/suite.ts";
import { readFacts } from "../policy/suite-facts.ts";
import { expectations } from "../policy/suite-messages.ts";
import { parseSuite } from "../policy/syntax.ts";

/** The findings of a suite; `plan` is what it tests, null where that has an error. */
export function suiteFindings(text: string, plan: Plan | null): readonly Finding[] {
  const { tests, findings } = parseSuite(text);
  if (plan === null) return findings;
  const all = [...findings];
  const context = contextFor(plan, (finding) => all.push(finding));
  for (const test of tests) {
    readFacts(test, context);
    timeOf(test, 0, context);
    const reason = reasonFinding(test, plan);
    if (reason !== null) all.push(reason);
  }
  return all;
}

function reasonFinding({ expect: { by } }: TestNode, plan: Plan): Finding | null {
  if (by === null) return null;
  const name = by.kind === "Name" ? by.text : by.value;
  if (ruleNamed(plan, name) !== null) return null;
  const known = plan.rules.map(({ id }) => id);
  return expectations.rule(by.span, name, closest(name, known));
}
