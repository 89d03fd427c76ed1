/**
 * What then: actions as written to actions as data, and which actions a rule cannot have.
 * @module
 */
import type { ActionNode, CapNode, RuleNode, Span, StringNode } from "./ast.ts";
import { type Context, refuse, type Subject } from "./draft.ts";
import { amounts, names } from "./messages.ts";
import { exact, milliseconds } from "./number.ts";
import type { Action, Flag } from "./plan.ts";
import { printGiven } from "./print.ts";
import { lints, rules } from "./rule-messages.ts";
import { closest } from "./suggest.ts";
import { actions as known, placeholders, scopes } from "./vocabulary.ts";

const ROUTE = 'route to "claude-haiku-4-5"';

/** Clients give up long before; most after ten minutes. */
const LONGEST_HOLD_MS = 3_600_000;

/** A sleep before a call ends there, however often it was tried. */
const LONGEST_BACKOFF_MS = 60_000;

const examples: Readonly<Record<string, string>> = {
  hold: "hold 30s",
  backoff: "backoff 500ms",
  route: ROUTE,
  cap: "cap 2K tokens",
};

/** The actions of a rule with these subjects, or null where one is wrong; all are checked. */
export function resolveActions(
  node: RuleNode,
  subjects: readonly Subject[],
  flag: Flag | null,
  context: Context,
): readonly Action[] | null {
  const resolved: Action[] = [];
  const stops = node.actions.find(({ kind }) => kind === "Deny" || kind === "Pause")?.kind.toLowerCase() ?? null;
  let stop: string | null = null;
  for (const action of node.actions) {
    const result = resolveAction(action, subjects, flag, context);
    if (result !== null) resolved.push(result);
    const word = action.kind === "UnknownAction" ? action.name.text : action.kind.toLowerCase();
    if (stop === null && stops !== null && (action.kind === "Hold" || action.kind === "Backoff")) {
      context.report(lints.neverWaits(action.span, word, stops));
    }
    if (stop !== null && action.kind !== "Warn") context.report(lints.afterStop(action.span, word, stop));
    if (action.kind === "Deny" || action.kind === "Pause") stop = word;
  }
  return resolved.length === node.actions.length ? Object.freeze(resolved) : null;
}

function resolveAction(
  node: ActionNode,
  subjects: readonly Subject[],
  flag: Flag | null,
  context: Context,
): Action | null {
  const closing = node.kind === "Pause" || (node.kind === "Deny" && node.for !== null);
  if (flag === "store.down" && (closing || !["Local", "Allow", "Deny", "UnknownAction"].includes(node.kind))) {
    return refuse(context, rules.storeDown(node.span, node.kind === "Deny" ? "deny for" : node.kind.toLowerCase()));
  }
  switch (node.kind) {
    case "Deny": {
      const ms = node.for === null ? null : milliseconds(node.for, context);
      const message = resolveMessage(node.message, context);
      if (node.for === null) return message === undefined ? null : Object.freeze({ kind: "deny", message });
      if (ms === null || !closes(node.for.span, "deny for", rules.closeCall, subjects, flag, context)) return null;
      return message === undefined ? null : Object.freeze({ kind: "deny for", ms, message });
    }
    case "Pause": {
      const message = resolveMessage(node.message, context);
      if (!closes(node.span, "pause", rules.pauseCall, subjects, flag, context)) return null;
      return message === undefined ? null : Object.freeze({ kind: "pause", message });
    }
    case "Warn": {
      const message = resolveMessage(node.message, context);
      return message === undefined ? null : Object.freeze({ kind: "warn", message });
    }
    case "Cap":
      return cap(node, context);
    case "Allow":
    case "Local":
      if (flag === "store.down") return Object.freeze({ kind: node.kind === "Allow" ? "allow" : "local" });
      return refuse(context, node.kind === "Allow" ? rules.allow(node.span) : rules.local(node.span));
    case "Hold": {
      const ms = milliseconds(node.upTo, context);
      if (subjects.every(neverFrees)) {
        const first = subjects[0];
        const counts = first !== undefined && first.kind !== "flag";
        return refuse(
          context,
          counts ? rules.holdForever(node.span, first.path, first.kind === "call") : rules.holdNothing(node.span),
        );
      }
      if (ms === null) return null;
      if (ms > LONGEST_HOLD_MS) return refuse(context, rules.holdTooLong(node.upTo.span));
      return Object.freeze({ kind: "hold", ms });
    }
    case "Backoff": {
      const ms = milliseconds(node.base, context);
      if (ms === null) return null;
      if (ms > LONGEST_BACKOFF_MS) return refuse(context, rules.backoffTooLong(node.base.span));
      return Object.freeze({ kind: "backoff", ms });
    }
    case "Route": {
      const model = node.model.value;
      if (model === "") return refuse(context, rules.needs(node.model.span, "route to", ROUTE));
      if (model.includes("*")) return refuse(context, rules.routePattern(node.model.span));
      return Object.freeze({ kind: "route", model });
    }
    case "UnknownAction": {
      const word = node.name.text;
      const example = examples[word];
      const given = node.given === null ? null : printGiven(node.given);
      if (example !== undefined) {
        const fixed = word === "route" && node.given?.kind === "String" ? `route to ${given}` : example;
        return refuse(context, rules.needs(node.span, word, fixed));
      }
      if (flag === "store.down") return refuse(context, rules.notFor(node.name.span, word));
      const meant = closest(word, known);
      if (node.given?.kind !== "Duration") return refuse(context, names.action(node.name.span, word, meant));
      const timed = meant === "deny" ? "deny for" : meant === "hold" || meant === "backoff" ? meant : null;
      return refuse(context, names.action(node.name.span, word, timed === null ? meant : `${timed} ${given}`));
    }
  }
}

/** A gate needs a scope that lives on: reports where no subject of the rule has one. */
function closes(
  span: Span,
  word: string,
  ofCall: (span: Span) => ReturnType<typeof rules.pauseCall>,
  subjects: readonly Subject[],
  flag: Flag | null,
  context: Context,
): boolean {
  if (subjects.some(({ kind }) => kind === "meter" || kind === "budget")) return true;
  context.report(subjects.length === 0 && flag === null ? rules.closeNothing(span, word) : ofCall(span));
  return false;
}

const neverFrees = (subject: Subject): boolean => {
  if (subject.kind === "call") return true;
  if (subject.kind === "flag") return true;
  const { window } = subject.kind === "budget" ? subject.budget.meter : subject.meter;
  return window.kind === "total" || window.kind === "run";
};

function cap(node: CapNode, context: Context): Action | null {
  const { amount } = node;
  if (amount.kind !== "Count" || (amount.unit !== null && amount.unit !== "tokens")) {
    return refuse(context, amounts.capUnit(amount.span));
  }
  const tokens = exact(amount.value, 1, "tokens", context);
  if (tokens === 0) return refuse(context, amounts.noTokens(amount.span));
  return tokens === null ? null : Object.freeze({ kind: "cap", tokens });
}

/** Metrics and the like, which are no placeholders: what is spent, and of what. */
const figures: Readonly<Record<string, string>> = {
  cost: "spent",
  amount: "spent",
  budget: "limit",
  quota: "limit",
  time: "reset",
};

/** The text, null where there is none, undefined with a report where it names a placeholder that does not exist. */
function resolveMessage(node: StringNode | null, context: Context): string | null | undefined {
  if (node === null) return null;
  const words = [...placeholders, ...scopes.filter((scope) => scope !== "global"), ...context.names.dimensions];
  let right = true;
  for (const [, name = ""] of node.value.matchAll(/\{([^{}\s]*)\}/g)) {
    if (words.includes(name)) continue;
    context.report(names.placeholder(node.span, name, figures[name] ?? closest(name, words)));
    right = false;
  }
  return right ? node.value : undefined;
}
