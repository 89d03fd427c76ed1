import { describe, expect, it } from "vitest";
import { exchanged } from "./exchanged.ts";

const runtime = "https://bedrock-runtime.us-east-1.amazonaws.com";
const nova = `${runtime}/model/amazon.nova-micro-v1%3A0`;
const messages = [{ role: "user", content: [{ text: "hi" }] }];
const checked = (usage: object) => ({ invocationMetrics: { guardrailProcessingLatency: 9, usage } });
const MODEL = 13 * 35 + 69 * 140;

describe("a guardrail beside a model", () => {
  it("is charged by the policies and text units that its trace tells, of the input and of the output", async () => {
    const { bill } = await exchanged({
      url: `${nova}/converse`,
      request: { messages, guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1", trace: "enabled" } },
      response: {
        output: { message: { role: "assistant", content: [{ text: "Hello." }] } },
        stopReason: "end_turn",
        usage: { inputTokens: 13, outputTokens: 69, totalTokens: 82 },
        trace: {
          guardrail: {
            inputAssessment: { g: checked({ topicPolicyUnits: 1, contentPolicyUnits: 1, wordPolicyUnits: 1 }) },
            outputAssessments: {
              g: [
                checked({
                  contentPolicyUnits: 2,
                  sensitiveInformationPolicyUnits: 1,
                  contextualGroundingPolicyUnits: 1,
                }),
              ],
            },
          },
        },
      },
    });
    // $0.15 a thousand for topics and content, $0.10 for the others; words are free.
    const guarding = 150_000 * (1 + 1 + 2) + 100_000 * 2;
    expect(bill.cost).toMatchObject({ tools: guarding, total: MODEL + guarding });
    expect([bill.source, bill.unpriced, bill.usage.inputTokens]).toEqual(["local", false, 13]);
  });

  it("is charged alone where it steps in before the model is asked", async () => {
    const { bill } = await exchanged({
      url: `${runtime}/model/amazon.titan-text-express-v1/invoke`,
      request: { inputText: "hi" },
      requestHeaders: { "x-amzn-bedrock-guardrailidentifier": "g", "x-amzn-bedrock-trace": "ENABLED" },
      response: {
        "amazon-bedrock-guardrailAction": "INTERVENED",
        "amazon-bedrock-trace": { guardrail: { input: { g: checked({ topicPolicyUnits: 1 }) } } },
        results: [{ outputText: "Sorry.", completionReason: "CONTENT_FILTERED" }],
      },
    });
    expect([bill.source, bill.cost.tools, bill.cost.total]).toEqual(["local", 150_000, 150_000]);
    expect(bill.finishReasons).toContain("guardrail_intervened");
  });

  it("costs nothing more where there is none", async () => {
    const { bill } = await exchanged({
      url: `${nova}/converse`,
      request: { messages },
      response: { stopReason: "end_turn", usage: { inputTokens: 13, outputTokens: 69 }, trace: { promptRouter: {} } },
    });
    expect(bill.cost.total).toBe(MODEL);
  });
});

describe("a guardrail without a model", () => {
  const apply = `${runtime}/guardrail/g1/version/DRAFT/apply`;
  const request = { source: "INPUT", content: [{ text: { text: "x".repeat(2_500) } }] };

  it("is held as if it had all the policies that cost, and charged by those that it has", async () => {
    const { call, bill } = await exchanged({
      url: apply,
      request,
      response: { action: "NONE", usage: { contentPolicyUnits: 3, contentPolicyImageUnits: 1, wordPolicyUnits: 3 } },
    });
    expect([call.operation, call.spending, call.unpriced, call.cost.total]).toEqual([
      "other",
      "metered",
      false,
      1_500_000,
    ]);
    expect([bill.source, bill.cost.total]).toEqual(["local", 3 * 150_000 + 750_000]);
  });

  it("is held for a picture by the piece, however large it is", async () => {
    const held = async (bytes: string) => {
      const content = [{ image: { format: "png", source: { bytes } } }, { text: { text: "hi" } }];
      return (await exchanged({ url: apply, request: { source: "INPUT", content } })).call;
    };
    const [small, large] = [await held("A".repeat(100)), await held("B".repeat(1_000_000))];
    expect(large.cost.total).toBe(500_000 + 750_000);
    expect(small.cost.total).toBe(large.cost.total);
    expect(small.fingerprint).not.toBe(large.fingerprint);
  });
});

describe("figures at the end of a stream", () => {
  it("tell the input that Titan leaves out of its own", async () => {
    const { bill } = await exchanged({
      url: `${runtime}/model/amazon.titan-text-express-v1/invoke-with-response-stream`,
      request: { inputText: "hi" },
      response: {
        outputText: "Hello.",
        totalOutputTextTokenCount: 188,
        inputTextTokenCount: null,
        completionReason: "FINISH",
        "amazon-bedrock-invocationMetrics": { inputTokenCount: 28, outputTokenCount: 188 },
      },
    });
    expect([bill.usage.inputTokens, bill.usage.outputTokens]).toEqual([28, 188]);
  });
});
