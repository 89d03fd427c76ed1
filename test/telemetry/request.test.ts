import type * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import { aCall } from "../support/a-call.ts";
import { only, refused, stage, useContexts } from "./scene.ts";

beforeAll(useContexts);

const _ms = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + nanos / 1e6;

describe("the conventions' names", () => {
  test.each([
    ["responses", "openai", "chat gpt-5", "openai"],
    ["messages", "anthropic", "chat gpt-5", "anthropic"],
    ["completions", "mistral", "text_completion gpt-5", "mistral_ai"],
    ["embeddings", "azure", "embeddings gpt-5", "azure.ai.openai"],
  ] as const)("%s of %s is the span %s of %s", (operation, provider, name, conventional) => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), refused({ call: aCall({ operation, provider }) }));
    const span = only(spans());
    expect(span.name).toBe(name);
    expect(span.attributes["gen_ai.operation.name"]).toBe(name.split(" ")[0]);
    expect(span.attributes["gen_ai.provider.name"]).toBe(conventional);
  });
});
