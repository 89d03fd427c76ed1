/**
 * Every endpoint of every provider: counted or free as the table says, its usage read whole and streamed to the same bill,
 * its errors released. docs/coverage.md is printed from the same table: `npx vitest run test/endpoints --update=all` writes it anew.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, CostSource } from "../../src/call/call.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { providers } from "../../src/call/providers/all.ts";
import { callOf, type Item, NOW, recognised, settle } from "../golden/replaying.ts";
import { cells } from "../matrix/rows.ts";
import { endpoints } from "./endpoints.ts";
import { type Printed, page } from "./page.ts";
import type { Row } from "./row.ts";
import type { Wire } from "./words.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => NOW.getTime());
});

/** What any of the endpoints takes. */
const request = ({ model }: Row) => ({
  model,
  messages: [{ role: "user", content: "hi" }],
  input: "hi",
  prompt: "hi",
  message: "hi",
  query: "hi",
  documents: ["a", "b"],
  contents: [{ role: "user", parts: [{ text: "hi" }] }],
  max_tokens: 64,
});

const itemOf = (row: Row, wire: Wire | null, status = 200): Item => ({
  name: row.url,
  provider: row.provider,
  method: row.method,
  url: new URL(row.url),
  request: { contentType: "application/json", body: Buffer.from(JSON.stringify(request(row))) },
  status,
  contentType: wire?.type ?? "application/json",
  body: wire?.body ?? Buffer.from('{"error":{"message":"no"}}'),
});

async function billOf(row: Row, wire: Wire | null, status = 200): Promise<Bill> {
  const item = itemOf(row, wire, status);
  return settle(item, callOf(item, prices), prices, 16);
}

const printed: Printed[] = [];

describe.each(endpoints)("$method $url", (row) => {
  it("is known, and spends what the table says", () => {
    const { provider, operation, spending } = recognised(itemOf(row, null));
    expect([provider.name, operation, spending]).toEqual([row.provider, row.operation, row.spending]);
  });

  it("costs nothing where the provider answers with an error", async () => {
    expect((await billOf(row, null, 500)).cost.total).toBe(0);
  });

  if (row.later !== undefined) {
    const { test } = row.later;
    it(`is charged later: ${test}`, () =>
      expect(existsSync(fileURLToPath(new URL(`../../${test}`, import.meta.url)))).toBe(true));
  }

  if (row.words === undefined) {
    printed.push({ row, source: null, pieces: false });
    return;
  }
  const { whole, streamed } = row.words;

  it("is charged what its answer says, the same whole and streamed (litellm #37923, #38176)", async () => {
    const bills = await Promise.all([whole, streamed].flatMap((wire) => (wire === null ? [] : [billOf(row, wire)])));
    const [first, ...others] = bills;
    if (first === undefined) throw new Error("no sample");
    for (const other of others) expect(other.cost).toEqual(first.cost);
    const source: CostSource = first.source;
    printed.push({ row, source, pieces: Object.keys(first.usage.units ?? {}).length > 0 });
    if (["ollama", "local"].includes(row.provider)) expect([first.cost.total, first.unpriced]).toEqual([0, false]);
    else expect(first.cost.total).toBeGreaterThan(0);
    if (source === "estimate") return;
    const [input, output] = row.tokens ?? [100, 20];
    expect([first.usage.inputTokens, first.usage.outputTokens]).toEqual([input, output]);
  });
});

const committed = fileURLToPath(new URL("../../docs/coverage.md", import.meta.url));

describe("docs/coverage.md", () => {
  it("names every provider that is known", () => {
    const named = new Set(endpoints.map(({ provider }) => provider));
    expect(providers.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });

  it("says what the tests have found", async () => {
    expect(printed.length).toBe(endpoints.length);
    await expect(page(endpoints, printed, cells)).toMatchFileSnapshot(committed);
  });
});
