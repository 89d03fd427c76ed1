import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, count, fixedCall, fixedUsage, startAsking, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;
const policy = (text: string): void => project.write("policies/test.budget", text);

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "global.total > $100 -> deny\n" });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

/** The same last message under a history that grows, as agents in a loop send it. */
const again = (turns: number, run = "job-1") => ({
  body: {
    model: "fixed-model",
    max_tokens: 100,
    messages: [
      { role: "system", content: "You are the Critic." },
      ...Array.from({ length: turns }, (_, turn) => ({ role: "assistant", content: `Draft ${"x".repeat(turn)}` })),
      { role: "user", content: "Please send a clearer version." },
    ],
  },
  identity: { run },
});

describe("a loop", () => {
  it("of the same question is stopped after three repeats, though its history grows; other runs go on", async () => {
    policy("loop: run.repeats > 3 -> deny for 10m\n");
    const loop = Array.from({ length: 8 }, (_, turn) => again(turn));
    const other = [fixedCall("something new", { identity: { run: "job-1" } }), again(0, "job-2")];
    const results = await asked(project, provider, { calls: [...loop, ...other] });
    expect(statuses(results)).toEqual([200, 200, 200, 200, 402, 402, 402, 402, 402, 200]);
    expect(provider.requests).toHaveLength(5);
    expect(results[4]?.text).toContain('\\"job-1\\"');
    expect(results[4]?.headers["x-budget-guard"]).toBe("deny");
  });

  it("of retries after failures is stopped by their share of the calls", async () => {
    policy("storm: tenant.retries last 15m > 30% and tenant.retries last 15m > 5 -> deny for 10m\n");
    provider.behave({ error: { status: 503 } });
    const results = await asked(project, provider, { calls: times(12, () => fixedCall("same")) });
    // The first is no retry; retries 1 to 5 pass; the sixth would be more than five.
    expect(statuses(results)).toEqual([...Array(6).fill(503), ...Array(6).fill(402)]);
  });

  it("of an SDK's own retries is cut short by call.retries, and the SDK takes the refusal as final", async () => {
    policy("call.retries > 1 -> deny\n");
    provider.behave({ error: { status: 500, headers: { "retry-after-ms": "1" } } });
    project.write(
      "app.mjs",
      `import OpenAI from "openai";
      const client = new OpenAI({ baseURL: "${provider.url}/v1", apiKey: "key", maxRetries: 5 });
      await client.chat.completions.create({ model: "fixed-model", max_tokens: 100,
        messages: [{ role: "user", content: "hi" }] }).catch((error) =>
        console.log(JSON.stringify({ status: error.status, code: error.code, message: error.message })));`,
    );
    const end = await project.run();
    expect(end.json()).toMatchObject({
      status: 402,
      code: "budget_exceeded",
      message: expect.stringContaining("retries"),
    });
    expect(provider.requests.map((request) => request.headers["x-stainless-retry-count"])).toEqual(["0", "1"]);
  });

  it("of steps is stopped by run.calls, each run on its own", async () => {
    policy("iterations: run.calls > 3 -> deny\n");
    const calls = ["a", "b"].flatMap((run) => times(5, () => fixedCall(undefined, { identity: { run } })));
    const results = await asked(project, provider, { calls, parallel: true });
    expect([count(results.slice(0, 5), 200), count(results.slice(5), 200)]).toEqual([3, 3]);
  });

  it("of parallel calls is stopped by concurrency, which frees itself", async () => {
    policy("tenant.concurrency > 2 -> deny\n");
    let release = (): void => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.behave({ usage: fixedUsage, beforeHead: () => open });
    const running = startAsking(project, provider, { calls: times(6), parallel: true });
    await provider.arrived(2);
    release();
    expect(count((await running.finished).json(), 402)).toBe(4);
    expect(statuses(await asked(project, provider, { calls: times(3) }))).toEqual([200, 200, 200]);
  });
});
