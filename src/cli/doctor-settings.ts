/**
 * Settings, policy and prices as a process in this folder would find them.
 */
import { relative } from "node:path";
import { type Config, readConfig } from "../config.ts";
import { loadSources } from "../files.ts";
import { compile } from "../policy/compile.ts";
import { priceTable } from "../price-table.ts";
import { type Check, check, reason } from "./doctor-check.ts";
import { count } from "./phrases.ts";
import type { World } from "./verb.ts";

/** The configuration, null where it cannot be read, and what is to be said of it. */
export function settingsChecks(world: World): { readonly config: Config | null; readonly checks: readonly Check[] } {
  let config: Config;
  try {
    config = readConfig(world.env, world.cwd);
  } catch (error) {
    return { config: null, checks: [check("settings", "fail", "settings", reason(error))] };
  }
  return {
    config,
    checks: [modeCheck(config), ...hostCheck(config), ...policyChecks(config, world.cwd), priceCheck(config)],
  };
}

function modeCheck({ mode, root, storeOptions }: Config): Check {
  const advice = "Set BUDGET_GUARD_MODE=enforce, or unset it, to refuse what goes over budget.";
  if (mode === "off") return check("settings", "fail", "mode", "off: no call is looked at", advice);
  if (mode === "shadow") return check("settings", "warn", "mode", "shadow: nothing is refused", advice);
  const strict = storeOptions.strict ? ", strict" : "";
  return check("settings", "ok", "mode", `enforce${strict}, in ${root}`);
}

function hostCheck({ hosts }: Config): readonly Check[] {
  if (hosts.size === 0) return [];
  const named = [...hosts].map(([host, provider]) => `${host} is ${provider}`);
  return [check("settings", "ok", "hosts", named.join(", "))];
}

function policyChecks(config: Config, cwd: string): readonly Check[] {
  try {
    const { sources: named, read } = loadSources(config);
    const { plan, diagnostics, sources } = compile(named, { read });
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    if (plan === null) {
      const detail = `${count(errors, "error")}: every process with the guard ends with exit code 78`;
      return [check("settings", "fail", "policy", detail, "`npx budget-guard check` shows them.")];
    }
    if (sources.length === 0) {
      const where = config.policy.paths.map((path) => relative(cwd, path) || path).join(", ");
      const detail = `none in ${where}: calls are counted and none is refused`;
      return [check("settings", "warn", "policy", detail, "`npx budget-guard init` writes a first one.")];
    }
    const detail = `${count(plan.rules.length, "rule")} from ${plan.files.join(", ")} (${plan.hash})`;
    const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
    if (warnings === 0) return [check("settings", "ok", "policy", detail)];
    const advice = "`npx budget-guard check` shows them.";
    return [check("settings", "warn", "policy", `${detail}, ${count(warnings, "warning")}`, advice)];
  } catch (error) {
    return [check("settings", "fail", "policy", reason(error))];
  }
}

function priceCheck({ prices }: Config): Check {
  const own = Object.keys(prices ?? {}).length;
  return check("settings", "ok", "prices", `${priceTable()}${own > 0 ? `, ${count(own, "price")} of your own` : ""}`);
}
