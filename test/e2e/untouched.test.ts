import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { app, askingProject, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Finished, type Project, preload } from "../support/run-app.ts";

const pieces = ["one", " two", " three", " four", " five"];
let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage, pieces });
  project = askingProject(provider, {
    policy: "tenant.total > $5 -> deny\n",
    files: { "app.mjs": app("listen") },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

/** The provider sends a piece only when the application has said that it holds the one before. */
async function listen(way: string, flags: readonly string[]): Promise<Finished> {
  const running = project.start({ flags, args: [provider.url, way] });
  provider.behave({
    usage: fixedUsage,
    pieces,
    beforeChunk: (index) => (index >= 2 && index <= 6 ? running.printed(`got ${pieces[index - 2]}\n`) : undefined),
  });
  return running.finished;
}

describe("an allowed stream", () => {
  for (const way of ["openai", "fetch"]) {
    it(`arrives chunk for chunk by ${way}, each before the next is sent, and the same as without the guard`, async () => {
      const guarded = await listen(way, preload);
      const bare = await listen(way, []);
      expect(guarded.stderr).toBe("");
      const same = (text: string): string => text.replace(/loopback-\d/g, "loopback");
      expect(same(guarded.stdout)).toBe(same(bare.stdout));
      expect(provider.requests).toHaveLength(2);
      expect(meterOf(await status(project), "tenant.cost.total").spent).toBeGreaterThan(0);
    });
  }

  it("leaves with the same bytes and headers as without the guard, but for what usage needs", async () => {
    await listen("openai", []);
    await listen("openai", preload);
    const [bare, guarded] = provider.requests;
    const { stream_options: _, ...rest } = guarded?.json ?? {};
    expect(rest).toEqual(bare?.json);
    const named = (names: readonly string[] | undefined) => names?.filter((_, index) => index % 2 === 0);
    expect(named(guarded?.rawHeaders)).toEqual(named(bare?.rawHeaders));
  });
});
