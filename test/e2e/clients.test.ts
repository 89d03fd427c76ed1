import { expect, it } from "vitest";
import { app, askingProject, fixedUsage, meterOf, status } from "../support/asking.ts";
import { fakeProvider } from "../support/fake-provider.ts";

it("every client's call is counted, and its next one refused before a byte leaves", async () => {
  const provider = await fakeProvider({ usage: fixedUsage });
  const project = askingProject(provider, {
    policy: "feature.total > $0.02 -> deny\n",
    files: { "app.mjs": app("clients") },
  });
  const end = await project.run({ args: [provider.url] });
  expect([end.code, end.stderr]).toEqual([0, ""]);
  const seen = end.json<Record<string, readonly number[]>>();
  const names = Object.keys(seen);
  expect(names.length).toBeGreaterThanOrEqual(16);
  expect(seen).toEqual(Object.fromEntries(names.map((name) => [name, [200, 402]])));
  expect(provider.requests).toHaveLength(names.length);
  const found = await status(project);
  for (const feature of names) {
    expect(meterOf(found, "feature.cost.total", { feature }), feature).toEqual({ spent: 0.0125, held: 0 });
  }
  await provider.close();
  project.remove();
});
