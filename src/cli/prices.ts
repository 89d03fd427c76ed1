/**
 * `budget-guard prices`: what would be charged for a model, and where that price comes from.
 * @module
 */
import { canonicalModel } from "../call/model.ts";
import { loadPrices } from "../call/price.ts";
import { providerNamed, providers } from "../call/providers/all.ts";
import { readConfig } from "../config.ts";
import { closest } from "../policy/suggest.ts";
import { priceTable } from "../price-table.ts";
import { columns } from "./columns.ts";
import { exit, usageError } from "./exit.ts";
import { dollars } from "./figures.ts";
import { knownModels, type PriceRow, priceRow, type Sources, tableLists } from "./price-rows.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const prices: Verb = {
  name: "prices",
  summary: "what each model is charged at, and where its price comes from",
  usage: "[--model NAME] [--provider NAME] [--json]",
  about: [
    "Prices are dollars per million tokens, and dollars each for what is billed by the piece. They come from",
    "budget-guard.json, else from the price table, whose version stands for its date. A model that nobody knows is",
    "charged at the dearest price of its provider until it has one: then the exit code is 1.",
  ],
  options: {
    model: { type: "string", value: "NAME", help: "only this model; * stands for any letters" },
    provider: { type: "string", value: "NAME", help: "only models of this provider" },
    json: { type: "boolean", help: "[{provider, model, tokens, long, pieces, source, page, unpriced}]" },
  },
  examples: [
    ["npx budget-guard prices --model gpt-5.4", "its rates, its searches, its containers"],
    ["npx budget-guard prices --model 'claude-opus-*' --provider anthropic", "all that fit"],
    ["npx budget-guard prices --json", "every price that is known"],
  ],
  async run(given, world) {
    const config = readConfig(world.env, world.cwd);
    const overrides = config.prices ?? {};
    const sources: Sources = {
      prices: await loadPrices(overrides, world.clock),
      table: priceTable(),
      overrides: Object.keys(overrides),
      listed: await tableLists(),
    };
    const rows = rowsFor(sources, given);
    const json = given.values.json === true;
    if (json) world.terminal.out.line(JSON.stringify(rows, null, 2));
    else show(rows, given.values.model !== undefined, world);
    const unknown = rows.find(({ unpriced }) => unpriced);
    if (unknown === undefined) return exit.fine;
    world.terminal.err.line(unknownWords(sources, unknown));
    return exit.findings;
  },
};

function rowsFor(sources: Sources, { values }: Arguments): readonly PriceRow[] {
  const provider = typeof values.provider === "string" ? values.provider : null;
  const wanted = typeof values.model === "string" ? values.model : null;
  if (provider !== null && providerNamed(provider) === null) {
    const names = providers.map(({ name }) => name);
    const guess = closest(provider, names);
    throw usageError(
      `There is no provider ${provider}; there are ${names.join(", ")}.${guess === null ? "" : ` Did you mean ${guess}?`}`,
      "prices",
    );
  }
  const fits = fitting(wanted);
  const found = knownModels(sources, provider).filter(([, model]) => fits(model));
  const own = sources.overrides.filter((model) => !model.endsWith("/*") && fits(model));
  const listed = new Set(found.map(([, model]) => model));
  const home = provider ?? "openai";
  const pairs = [...own.filter((model) => !listed.has(model)).map((model) => [home, model] as const), ...found];
  const rows = pairs.map(([name, model]) => priceRow(sources, name, model));
  if (wanted !== null && !wanted.includes("*")) return rows.length > 0 ? rows : [priceRow(sources, home, wanted)];
  // The table lists some that nobody pays for (moderation), or whose price it does not know.
  return rows.filter(({ unpriced }) => !unpriced);
}

/** Whether a model is meant: by its name, with or without its date, or by a pattern. */
function fitting(wanted: string | null): (model: string) => boolean {
  if (wanted === null) return () => true;
  if (!wanted.includes("*")) {
    const name = wanted.toLowerCase();
    const canonical = canonicalModel(name);
    return (model) => model.toLowerCase() === name || model.toLowerCase() === canonical;
  }
  const escaped = wanted.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const form = new RegExp(`^${escaped}$`, "i");
  return (model) => form.test(model);
}

/** A price that is right, or the words to say that it is not known. */
function unknownWords(sources: Sources, { provider, model }: PriceRow): string {
  const names = knownModels(sources, null).map(([, name]) => name);
  const guess = closest(model, [...sources.overrides, ...new Set(names)]);
  const meant = guess === null ? "" : ` Did you mean ${guess}?`;
  return `No price is known for ${model}: calls are charged at ${provider}'s dearest. Give it one under "prices" in budget-guard.json.${meant}`;
}

const TITLES = ["provider", "model", "input", "output", "cache read", "cache write", "reasoning", "source"];

function show(rows: readonly PriceRow[], one: boolean, { terminal }: World): void {
  const { out } = terminal;
  if (rows.length === 0) {
    out.line("No price is known.");
    return;
  }
  const lines = rows.flatMap((row) => {
    const { provider, model, source } = row;
    const base = { cells: [provider, model, ...tokenCells(row.tokens), source], colour: colourOf(row) };
    const long = row.long.map(({ above, tokens }) => ({
      cells: ["", `  over ${above} tokens of prompt`, ...tokenCells(tokens), ""],
    }));
    return [base, ...long];
  });
  out.line(columns(TITLES, lines, out.paint));
  if (!one) return;
  const pieces = rows.flatMap(({ model, pieces: all }) =>
    all.map(({ piece, usd, source, asOf }) => ({
      cells: [model, piece, dollars(usd), source, asOf ?? ""],
    })),
  );
  if (pieces.length > 0) out.line(`\n${columns(["model", "each", "price", "source", "as of"], pieces, out.paint)}`);
}

const colourOf = ({ unpriced }: PriceRow): "yellow" | undefined => (unpriced ? "yellow" : undefined);

/** An em dash would be a price to a spreadsheet: what has none is left empty. */
function tokenCells(tokens: PriceRow["tokens"]): readonly string[] {
  if (tokens === null) return ["", "", "", "", ""];
  const { input, output, cacheRead, cacheWrite, reasoning } = tokens;
  return [input, output, cacheRead, cacheWrite, reasoning].map(dollars);
}
