/**
 * The author's own message with `{tenant}`, `{spent}`, `{limit}`, `{reset}` and the like filled in.
 * @module
 */
import { NONE } from "../call/call.ts";
import { nounOf, overText } from "./figure-words.ts";
import { zoneOf } from "./outlook.ts";
import { figuresOf } from "./readings.ts";
import type { Occasion } from "./sentence.ts";
import type { Figures } from "./verdict.ts";
import { amountText, timeText } from "./words.ts";
import { zonedTime } from "./zone-time.ts";

/** Fills what is known about this call; a name that nobody declared stays as it is. */
export function filled(message: string, occasion: Occasion): string {
  const { plan, call, rule, readings } = occasion;
  const [condition] = rule.conditions;
  const figures = condition === undefined ? null : figuresOf(condition, plan, call, readings);
  return message.replace(/\{([^{}\s]*)\}/g, (text, name: string) => {
    switch (name) {
      case "spent":
      case "limit":
      case "estimate":
        return figures === null
          ? "an unknown amount"
          : `${amountText(figures.metric, figures[name])}${nounOf(figures.metric)}`;
      case "window":
        return figures === null ? "now" : overText(figures.window).trim() || "now";
      case "reset":
        return resetText(occasion, figures);
      case "rule":
        return rule.id;
      default:
        return call.subject[name] ?? (plan.dimensions.includes(name) ? NONE : text);
    }
  });
}

function resetText(occasion: Occasion, figures: Figures | null): string {
  const { action, closed } = occasion;
  const { now } = occasion.readings;
  // A pause outlives its window: any date would be a promise that only a person can keep.
  if (action.kind === "pause") return "manual resume";
  if (closed !== null && closed.until !== null) return timeText(closed.until, now);
  if (action.kind === "deny for" && now + action.ms >= (figures?.resetsAt ?? 0)) return timeText(now + action.ms, now);
  if (figures === null || figures.resetsAt === null) return "further notice";
  return zonedTime(figures.resetsAt, now, zoneOf(occasion));
}
