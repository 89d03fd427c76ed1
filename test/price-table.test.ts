import { expect, it } from "vitest";
import { priceTable } from "../src/price-table.ts";

it("names the price table and its edition", () => {
  expect(priceTable()).toMatch(/^genai-prices \d+\.\d+\.\d+$/);
});
