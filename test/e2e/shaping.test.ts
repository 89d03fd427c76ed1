import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedUsage, statuses } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "call.output_tokens > 50 -> cap 50 tokens\n" });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

const send = async (body: string, path = "/v1/chat/completions", name = "openai"): Promise<string> => {
  const env = { BUDGET_GUARD_HOSTS: `${provider.host}=${name}` };
  const results = await asked(project, provider, { calls: [{ body, path }] }, { env });
  expect(statuses(results)).toEqual([200]);
  const request = provider.requests.at(-1);
  expect(request?.headers["content-length"]).toBe(String(request?.body.length));
  return request?.body.toString("utf8") ?? "";
};

describe("cap", () => {
  it("lowers the output limit and touches no other byte", async () => {
    const body =
      '{ "model":"fixed-model",\n  "max_tokens" : 4000, "messages":[{"role":"user","content":"\\u00fcber \\"max_tokens\\": 9"}] }';
    expect(await send(body)).toBe(body.replace("4000", "50"));
  });

  it("sets one where the call has none", async () => {
    const body = '{"model":"fixed-model","messages":[{"role":"user","content":"hi"}]}';
    expect(JSON.parse(await send(body))).toEqual({ ...JSON.parse(body), max_completion_tokens: 50 });
  });

  it("leaves a smaller call as it is", async () => {
    const body = '{"model":"fixed-model","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}';
    expect(await send(body)).toBe(body);
  });

  it("knows the names of each endpoint", async () => {
    const responses = '{"model":"fixed-model","input":"hi","max_output_tokens":900}';
    expect(await send(responses, "/v1/responses")).toBe(responses.replace("900", "50"));
    const messages = '{"model":"fixed-model","max_tokens":900,"messages":[{"role":"user","content":"hi"}]}';
    expect(await send(messages, "/v1/messages", "anthropic")).toBe(messages.replace("900", "50"));
  });

  it("makes a call small enough for the budget that judges it", async () => {
    project.write("policies/test.budget", "call.output_tokens > 50 -> cap 50 tokens\ntenant.total > $0.01 -> deny\n");
    // 100 tokens would cost $0.0125; 50 cost $0.00625.
    provider.behave({ usage: { input: 10, output: 50 } });
    await send('{"model":"fixed-model","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}');
  });
});
