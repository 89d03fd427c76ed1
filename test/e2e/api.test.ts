import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askingProject, fixedUsage } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "tenant.total > $1 -> deny\n" });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

const program = (body: string): string => `
  import { flush, pause, resume, status, withBudget } from "budget-guard";
  const ask = async () => (await fetch("${provider.url}/v1/chat/completions", { method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }) })).status;
  const print = (value) => console.log(JSON.stringify(value));
  ${body}`;

describe("the guard as a library", () => {
  it("pauses, resumes and reads the same ledger that decides", async () => {
    project.write(
      "app.mjs",
      program(`
        const seen = [await ask()];
        await flush();
        const [meter] = (await status()).meters;
        await pause({ tenant: "acme" });
        seen.push(await ask(), await withBudget({ tenant: "globex" }, ask));
        await resume({ tenant: "acme" });
        seen.push(await ask());
        print({ seen, spent: meter.spent, held: meter.held, scope: meter.scope });`),
    );
    const end = await project.run();
    expect(end.code, end.stderr).toBe(0);
    expect(end.json()).toEqual({ seen: [200, 402, 200, 200], spent: 0.0125, held: 0, scope: { tenant: "acme" } });
  });

  it("works in a program that did not load the guard: it reads, and stands in front of nothing", async () => {
    project.write("app.mjs", program("print([await ask(), (await status()).meters.length]);"));
    const end = await project.run({ flags: [] });
    expect(end.json()).toEqual([200, 0]);
  });

  it("has counted a call before process.exit() where the program flushed", async () => {
    project.write("app.mjs", program("await ask(); await flush(); process.exit(0);"));
    expect((await project.run()).code).toBe(0);
    project.write("app.mjs", program("print((await status()).meters[0].spent);"));
    expect((await project.run()).json()).toBe(0.0125);
  });
});
