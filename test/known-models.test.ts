import { expect, it } from "vitest";
import { loadModels } from "../src/known-models.ts";

it.each([
  ["us.amazon.nova-micro-v1:0", "bedrock", 0.035 + 0.14],
  ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", 3.3 + 16.5],
  ["claude-sonnet-4-5", "anthropic", 3 + 15],
])("%s lives at %s and costs $%d a million in and out", async (model, provider, usd) => {
  expect((await loadModels()).find(model)).toEqual({ provider, price: Math.round(usd * 1e9) });
});

it("knows no model that nobody prices", async () => {
  const models = await loadModels();
  expect(models.find("amazon.nova-imaginary-v1:0")).toBeNull();
  expect(models.find("gpt-imaginary")).toBeNull();
});
