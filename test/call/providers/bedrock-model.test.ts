import { expect, it } from "vitest";
import { modelInPath, plainName, pricedNames } from "../../../src/call/providers/bedrock-model.ts";

it.each([
  ["/model/us.amazon.nova-micro-v1%3A0/converse", "us.amazon.nova-micro-v1:0"],
  ["/model/us.amazon.nova-micro-v1:0/converse-stream?x=1/2", "us.amazon.nova-micro-v1:0"],
  [
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-opus-4-8/invoke",
    "us.anthropic.claude-opus-4-8",
  ],
  [
    "/model/arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0/invoke",
    "anthropic.claude-3-haiku-20240307-v1:0",
  ],
  [
    "/model/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1y2z3/converse",
    "application-inference-profile/x1y2z3",
  ],
  [
    "/model/arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1/converse",
    "default-prompt-router/anthropic.claude:1",
  ],
  ["/bedrock/model/meta.llama3-8b-instruct-v1:0/invoke", "meta.llama3-8b-instruct-v1:0"],
  ["/model/%E0%A4%A/converse", "%E0%A4%A"],
  ["/model//converse", null],
  ["/model/converse", null],
  ["/guardrail/g/version/1/apply", null],
])("%s asks %s", (path, model) => {
  expect(modelInPath(path)).toBe(model);
});

it.each([
  ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"],
  ["anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"],
  ["us-gov.anthropic.claude-3-haiku-20240307-v1:0:48k", "claude-3-haiku-20240307"],
  ["global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"],
  ["anthropic.claude-opus-4-8", "claude-opus-4-8"],
  ["anthropic.claude-v2:1", "claude-v2"],
  ["apac.amazon.nova-pro-v1:0", "nova-pro"],
  ["amazon.titan-embed-text-v2:0", "titan-embed-text-v2"],
  ["cohere.embed-v4:0", "embed-v4"],
  ["openai.gpt-oss-120b-1:0", "gpt-oss-120b"],
  ["openai.gpt-5.5", "gpt-5.5"],
  ["mistral.mistral-large-2402-v1:0", "mistral-large-2402"],
  ["application-inference-profile/x1y2z3", null],
  ["gpt-4.1-mini", null],
  ["my.model", null],
])("%s is %s", (name, plain) => {
  expect(plainName(name)).toBe(plain);
});

it("is looked up in the price table as sent, then without its region, then as in the United States", () => {
  expect(pricedNames("apac.amazon.nova-2-lite-v1:0")).toEqual([
    "apac.amazon.nova-2-lite-v1:0",
    "amazon.nova-2-lite-v1:0",
    "us.amazon.nova-2-lite-v1:0",
  ]);
  expect(pricedNames("openai.gpt-oss-120b")).toContain("openai.gpt-oss-120b-1:0");
  expect(pricedNames("x1y2z3")).toEqual(["x1y2z3"]);
});
