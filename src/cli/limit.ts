/**
 * `budget-guard limit`: amounts of the limits that the store keeps (`limit quota by tenant from store else $50`), live.
 * @module
 */
import { readConfig } from "../config.ts";
import { scopeNames } from "../gates.ts";
import { limitKey, readLimitKey } from "../keys.ts";
import { granted } from "../limits.ts";
import type { NamedLimit, Plan } from "../policy/plan.ts";
import { closest } from "../policy/suggest.ts";
import type { Store } from "../store/store.ts";
import { exit, usageError } from "./exit.ts";
import { withLedger, withLedgerToRead } from "./ledger.ts";
import { amountData, amountShown, readAmount } from "./limit-amount.ts";
import { scopeWords } from "./phrases.ts";
import { leniently, loadPolicy } from "./policy.ts";
import { readScope } from "./scope.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const limit: Verb = {
  name: "limit",
  summary: "raise or lower a limit that the store keeps, without a deployment",
  usage: "set DIMENSION=VALUE NAME=AMOUNT | unset DIMENSION=VALUE NAME | list [--json]",
  about: [
    "For limits that the policy leaves to the store: `limit quota by tenant from store else $50`. What is set counts in",
    "every process that shares the ledger, from its next call on, before the policy's `else`. Amounts are written as in",
    "the policy ($80, 2M, 500, unlimited); in quotes where there is a $, which a shell would take for a variable.",
  ],
  options: { json: { type: "boolean", help: "list: [{limit, by, value, amount, unit}]; dollars or counts" } },
  examples: [
    ["npx budget-guard limit set tenant=acme 'quota=$80'", "acme may use $80"],
    ["npx budget-guard limit set tenant=acme quota=unlimited", "acme is not limited by this"],
    ["npx budget-guard limit unset tenant=acme quota", "what the policy says counts again"],
    ["npx budget-guard limit list", "all that is set"],
  ],
  async run(given, world) {
    const [what, ...words] = given.words;
    if (given.values.json === true && what !== "list") throw usageError("--json is for `limit list`.", "limit");
    if (what === "set") return await set(words, world);
    if (what === "unset") return await unset(words, world);
    if (what === "list") return await list(words, given, world);
    const guess = what === undefined ? null : closest(what, ["set", "unset", "list"]);
    const meant = guess === null ? "" : ` Did you mean \`budget-guard limit ${guess}\`?`;
    throw usageError(what === undefined ? "Set, unset or list?" : `There is no \`limit ${what}\`.${meant}`, "limit");
  },
};

async function set(words: readonly string[], world: World): Promise<number> {
  const config = readConfig(world.env, world.cwd);
  const { plan } = loadPolicy(config, world.terminal);
  const named = words.filter((word) => live(plan).some(({ name }) => word.startsWith(`${name}=`)));
  const subject = words.filter((word) => !named.includes(word));
  const [word] = named;
  if (word === undefined || named.length > 1 || subject.length !== 1) throw usageError(whyNotSet(plan, words), "limit");
  const limited = limitOf(plan, word.slice(0, word.indexOf("=")));
  const value = valueGiven(limited, subject, `set ${limited.by}=acme ${limited.name}=...`);
  const amount = readAmount(limited, word.slice(word.indexOf("=") + 1));
  const key = limitKey(limited.name, limited.by, value);
  return await withLedger(config, world, async (store) => {
    const before = await store.limits();
    await store.setLimit(key, amount);
    const { out } = world.terminal;
    const scope = scopeWords({ [limited.by]: value });
    const was = wordsFor(plan, limited, value, before);
    out.line(
      `${out.paint("green", "Set")} ${limited.name} of ${scope}: ${amountShown(amount, limited.unit)}, was ${was}.`,
    );
    if (!isUsed(plan, limited)) world.terminal.err.line(`No rule of the policy looks at ${limited.name}.`);
    return exit.fine;
  });
}

async function unset(words: readonly string[], world: World): Promise<number> {
  const config = readConfig(world.env, world.cwd);
  const plan = leniently(config, world.terminal);
  const name = words.find((word) => !word.includes("="));
  const subject = words.filter((word) => word !== name);
  if (name === undefined || subject.length !== 1) {
    throw usageError("Unset what? Write it like `budget-guard limit unset tenant=acme quota`.", "limit");
  }
  const scope = readScope(subject, "limit unset");
  const [by = "", value = ""] = Object.entries(scope)[0] ?? [];
  return await withLedger(config, world, async (store) => {
    const { out, err } = world.terminal;
    const before = await store.limits();
    const key = limitKey(name, by, value);
    const amount = before.get(key);
    if (amount === undefined) {
      err.line(`No ${name} is set for ${scopeWords(scope)}.${slip(plan, name, by, before)}`);
      return exit.findings;
    }
    await store.setLimit(key, null);
    const limited = plan?.limits.find((one) => one.name === name && one.by === by);
    const now =
      plan === null || limited === undefined
        ? ""
        : `, now ${wordsFor(plan, limited, value, new Map([...before].filter(([one]) => one !== key)))}`;
    const was = amountShown(amount, limited?.unit ?? null);
    out.line(`${out.paint("green", "Unset")} ${name} of ${scopeWords(scope)}: it was ${was}${now}.`);
    return exit.fine;
  });
}

async function list(words: readonly string[], { values }: Arguments, world: World): Promise<number> {
  if (words.length > 0) throw usageError(`limit list takes no arguments, but was given ${words.join(" ")}.`, "limit");
  const config = readConfig(world.env, world.cwd);
  const plan = leniently(config, world.terminal);
  const kept = await withLedgerToRead(config, world, async (store: Pick<Store, "limits"> | null) => {
    return store === null ? new Map<string, number>() : await store.limits();
  });
  const rows = [...kept]
    .map(([key, amount]) => {
      const { limit: name, by, value } = readLimitKey(key);
      const limited = plan?.limits.find((one) => one.name === name && one.by === by && one.fromStore);
      return { name, by, value, amount, unit: limited?.unit ?? null };
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.by, b.by) || compare(a.value, b.value));
  const { out } = world.terminal;
  if (values.json === true) {
    const data = rows.map(({ name, by, value, amount, unit }) => {
      return { limit: name, by, value, amount: amountData(amount, unit), unit: unit === "money" ? "USD" : unit };
    });
    out.line(JSON.stringify(data, null, 2));
    return exit.fine;
  }
  if (rows.length === 0) world.terminal.err.line("No limit is set.");
  for (const { name, by, value, amount, unit } of rows) {
    const stale = unit === null && plan !== null ? "   (the policy keeps no such limit in the store)" : "";
    out.line(`${name}  ${scopeWords({ [by]: value })}  ${amountShown(amount, unit)}${stale}`);
  }
  return exit.fine;
}

const live = (plan: Plan): readonly NamedLimit[] => plan.limits.filter(({ fromStore }) => fromStore);

function limitOf(plan: Plan, name: string): NamedLimit {
  const found = live(plan).find((one) => one.name === name);
  if (found === undefined) throw usageError(whyNoLimit(plan, name), "limit");
  return found;
}

function valueGiven(limited: NamedLimit, words: readonly string[], example: string): string {
  const scope = readScope(words, "limit set");
  const value = scope[limited.by];
  if (value === undefined) {
    const given = Object.keys(scope).join(", ") || "everything";
    throw usageError(
      `${limited.name} is by ${limited.by}, not by ${given}. Write it like \`budget-guard limit ${example}\`.`,
      "limit",
    );
  }
  return value;
}

function whyNotSet(plan: Plan, words: readonly string[]): string {
  const example = "Write it like `budget-guard limit set tenant=acme 'quota=$80'`.";
  if (words.length !== 2) return `Set what? ${example}`;
  const names = words.map((word) => word.slice(0, Math.max(0, word.indexOf("="))));
  const scopes = scopeNames(plan);
  const unknown = names.find((name) => !scopes.includes(name));
  return unknown === undefined || unknown === "" ? `Set what? ${example}` : whyNoLimit(plan, unknown);
}

function whyNoLimit(plan: Plan, name: string): string {
  const other = plan.limits.find((one) => one.name === name);
  if (other !== undefined) {
    return `${name} stands in the policy itself. Change it there, or leave it to the store: \`limit ${name} by ${other.by} from store else ...\`.`;
  }
  const names = live(plan).map((one) => one.name);
  const guess = closest(name, names);
  if (guess !== null) return `The policy has no limit ${name}. Did you mean ${guess}?`;
  const there = names.length === 0 ? "It leaves none to the store." : `There are ${names.join(", ")}.`;
  return `The policy has no limit ${name}. ${there}`;
}

/** What the limit amounts to for this value, and who says so. */
function wordsFor(plan: Plan, limited: NamedLimit, value: string, kept: ReadonlyMap<string, number>): string {
  const amount = granted(plan, plan.limits.indexOf(limited), { [limited.by]: value }, kept);
  const set = kept.has(limitKey(limited.name, limited.by, value));
  if (typeof amount === "string") return `what the policy says by ${amount}`;
  return `${amountShown(amount, limited.unit)}${set ? "" : " by the policy"}`;
}

const isUsed = (plan: Plan, limited: NamedLimit): boolean => {
  const at = plan.limits.indexOf(limited);
  const names = (limit: { readonly kind: string; readonly limit?: number }): boolean => limit.limit === at;
  return (
    plan.rules.some(({ conditions }) => conditions.some((condition) => names(condition.limit))) ||
    plan.limits.some(({ otherwise, rows }) => [otherwise, ...rows.values()].some(names))
  );
};

function slip(plan: Plan | null, name: string, by: string, kept: ReadonlyMap<string, number>): string {
  const limited = plan?.limits.find((one) => one.name === name);
  if (limited !== undefined && limited.by !== by) return ` It is by ${limited.by}.`;
  const names = new Set([...kept.keys()].map((key) => readLimitKey(key).limit));
  const guess = names.has(name) ? null : closest(name, names);
  return guess === null ? "" : ` Did you mean ${guess}?`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
