import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  askingProject,
  fixedUsage,
  meterOf,
  replies,
  startAsking,
  status,
  statuses,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "tenant.total > $0.02 -> deny\n", config: { store: { hold: "1s" } } });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("a call that outlives its hold's first term", () => {
  it("keeps it as long as its process lives, and is charged once", async () => {
    let release = (): void => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.behave((request) => (request.index === 0 ? { usage: fixedUsage, beforeHead: () => open } : {}));
    // Both at once: the second is refused while the first holds the budget, and again three terms later.
    project.write(
      "app.mjs",
      `const ask = async () => {
        const response = await fetch("${provider.url}/v1/chat/completions", { method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }) });
        await response.text();
        return response.status;
      };
      const first = ask();
      process.stdin.once("data", async () => {
        console.log("second " + (await ask()));
        setTimeout(async () => {
          console.log("third " + (await ask()));
          process.stdin.once("data", async () => {
            console.log("first " + (await first));
            process.stdin.destroy();
          });
        }, 3_000);
      });`,
    );
    const running = project.start();
    await provider.arrived(1);
    running.tell("go");
    await running.printed("third");
    release();
    running.tell("end");
    const end = await running.finished;
    expect(end.stdout).toBe("second 402\nthird 402\nfirst 200\n");
    expect(meterOf(await status(project), "tenant.cost.total")).toEqual({ spent: 0.0125, held: 0 });
  });
});

describe("a process that ends by itself", () => {
  it("leaves no hold behind of a call that was just answered", async () => {
    const running = startAsking(project, provider, { calls: times(1) });
    expect(statuses(replies(await running.finished))).toEqual([200]);
    expect(meterOf(await status(project), "tenant.cost.total")).toEqual({ spent: 0.0125, held: 0 });
  });
});
