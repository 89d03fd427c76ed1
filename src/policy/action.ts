/**
 * What then: actions as written to actions as data, and which actions a rule cannot have.
 * @module
 */
import type { ActionNode, CapNode, RuleNode, Span, StringNode } from "./ast.ts";
import { type Context, refuse, type Subject } from "./draft.ts";
import { amounts, names } from "./messages.ts";
import { exact, milliseconds } from "./number.ts";
import type { Action, Flag } from "./plan.ts";
import { later, lints, rules } from "./rule-messages.ts";
import { closest } from "./suggest.ts";
import { actions as known, placeholders, scopes } from "./vocabulary.ts";

const examples: Readonly<Record<string, string>> = {
  hold: "hold 30s",
  backoff: "backoff 500ms",
  route: 'route to "claude-haiku-4-5"',
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
  let stop: string | null = null;
  for (const action of node.actions) {
    const result = resolveAction(action, subjects, flag, context);
    if (result !== null) resolved.push(result);
    const word = action.kind === "UnknownAction" ? action.name.text : action.kind.toLowerCase();
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
      const endless = subjects.find(neverFrees);
      if (endless !== undefined) return refuse(context, rules.holdForever(node.span, endless.path));
      return milliseconds(node.upTo, context) === null ? null : refuse(context, later.hold(node.span));
    }
    case "Backoff":
      return milliseconds(node.base, context) === null ? null : refuse(context, later.backoff(node.span));
    case "Route": {
      const model = node.model.value;
      if (context.models !== null && !context.models.includes(model)) {
        context.report(lints.unpriced(node.model.span, model, closest(model, context.models)));
      }
      return refuse(context, later.route(node.span));
    }
    case "UnknownAction": {
      const word = node.name.text;
      const example = examples[word];
      if (example !== undefined) return refuse(context, rules.needs(node.span, word, example));
      return refuse(context, names.action(node.name.span, word, closest(word, known)));
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
  if (subject.kind === "flag") return false;
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

/** The text, null where there is none, undefined with a report where it names a placeholder that does not exist. */
function resolveMessage(node: StringNode | null, context: Context): string | null | undefined {
  if (node === null) return null;
  const words = [...placeholders, ...scopes.filter((scope) => scope !== "global"), ...context.names.dimensions];
  let right = true;
  for (const [, name = ""] of node.value.matchAll(/\{([^{}\s]*)\}/g)) {
    if (words.includes(name)) continue;
    context.report(names.placeholder(node.span, name, closest(name, words)));
    right = false;
  }
  return right ? node.value : undefined;
}
