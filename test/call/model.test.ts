import { expect, it } from "vitest";
import { canonicalModel } from "../../src/call/model.ts";

it.each([
  ["gpt-5-2025-08-07", "gpt-5"],
  ["gpt-4o", "gpt-4o"],
  ["gpt-4o-mini-2024-07-18", "gpt-4o-mini"],
  ["claude-haiku-4-5-20251001", "claude-haiku-4-5"],
  ["claude-3-5-sonnet@20240620", "claude-3-5-sonnet"],
  ["claude-3-5-haiku-latest", "claude-3-5-haiku"],
  ["openai/gpt-5", "gpt-5"],
  ["anthropic/claude-opus-4-5-20251101", "claude-opus-4-5"],
  ["ft:gpt-4o-2024-08-06:org::id", "gpt-4o"],
  ["gpt-4-0613", "gpt-4"],
  ["gpt-3.5-turbo-0125", "gpt-3.5-turbo"],
  ["my-model-1234", "my-model-1234"],
  ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"],
  ["anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"],
  ["eu.amazon.nova-pro-v1:0", "nova-pro"],
  ["openai.gpt-oss-120b-1:0", "gpt-oss-120b"],
  ["application-inference-profile/x1y2z3", "x1y2z3"],
  [" gpt-5 ", "gpt-5"],
  ["", "(unknown)"],
  ["x/", "x/"],
])("%s counts as %s", (name, expected) => {
  expect(canonicalModel(name)).toBe(expected);
});
