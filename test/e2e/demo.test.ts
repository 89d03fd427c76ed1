import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const demo = fileURLToPath(new URL("../../demo/main.mjs", import.meta.url));

it("the demo stops the loop by its rule, delivers the healthy reports, and its books agree", async () => {
  // It ends with 1, and so rejects, where any of that is not so.
  const { stdout } = await promisify(execFile)(process.execPath, [demo], { env: { ...process.env, FORCE_COLOR: "" } });
  expect(stdout).toContain("The demo pulled the plug at 2,000 calls.");
  expect(stdout).toMatch(/calls that reached the provider +2,000 +1\d\n/);
  expect(stdout).toMatch(/by +- +rule "same-question"\n/);
  expect(stdout).toMatch(/reports delivered, of 2 possible +1 +2\n/);
  expect(stdout).toMatch(/APIError, code budget_exceeded: 402 budget-guard refused this call: run "weekly-globex"/);
  expect(stdout).toMatch(/budget_guard\.decision +deny\n/);
});
