import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verbs } from "../src/cli/dispatch.ts";
import { readConfig, unknownVariables } from "../src/config.ts";
import { compile } from "../src/policy/compile.ts";
import { renderAll } from "../src/policy/diagnostics.ts";
import { type FakeProvider, fakeProvider } from "./support/fake-provider.ts";
import { type Project, project } from "./support/run-app.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");

/** The texts of all fenced blocks of a language, in order. */
const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => match[1] ?? "");

describe("the README", () => {
  it("shows policies that compile without an error or a warning", () => {
    expect(blocks("budget").length).toBeGreaterThan(1);
    for (const text of blocks("budget")) {
      // The example of every construct declares what a policy of its own would.
      const { plan, diagnostics } = compile([{ file: "README.md", text }]);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(renderAll(errors, [{ file: "README.md", text }])).toBe("");
      expect(plan?.rules.length).toBeGreaterThan(1);
    }
  });

  it("shows a diagnostic as `check` prints it", () => {
    const sources = [{ file: "policies/starter.budget", text: "tenant.horuly > $50 -> deny\n" }];
    expect(readme).toContain(`$ npx budget-guard check\n${renderAll(compile(sources).diagnostics, sources)}\n`);
  });

  it("names every command and every variable, and none that is not there", () => {
    for (const { name } of verbs) expect(readme).toContain(`npx budget-guard ${name}`);
    for (const [, name = ""] of readme.matchAll(/npx budget-guard (\w+)/g)) {
      expect(verbs.map((verb) => verb.name)).toContain(name);
    }
    const variables = Object.fromEntries((readme.match(/BUDGET_GUARD_[A-Z]+/g) ?? []).map((name) => [name, ""]));
    expect(unknownVariables(variables)).toEqual([]);
  });
});

describe("the README's programs", () => {
  let provider: FakeProvider;
  let at: Project;
  beforeEach(async () => {
    provider = await fakeProvider();
  });
  afterEach(async () => {
    at.remove();
    await provider.close();
  });

  const [who = "", refused = ""] = blocks("js");

  it("name whose call it is, and read a refusal, as they stand", async () => {
    const config = JSON.parse(blocks("json")[0] ?? "{}") as object;
    expect(who).toContain("withBudget");
    at = project({
      files: {
        "policies/own.budget": "tenant.feature.calls.daily > 1 -> deny\n",
        "budget-guard.json": JSON.stringify(config),
        "app.mjs": `
          import OpenAI from "openai";
          ${who.split("\n")[0]}
          const client = new OpenAI({ apiKey: "none", baseURL: "${provider.url}/v1" });
          const request = { model: "my-model", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
          const jobId = "job-1";
          const task = null;
          const agent = { async run() { ${refused} } };
          ${who.split("\n").slice(1).join("\n")}
          ${who.split("\n").slice(1).join("\n")}
        `,
      },
    });
    const end = await at.run();
    expect(end.stderr).toBe("");
    expect(provider.requests).toHaveLength(1);
    expect(end.stdout).toContain('402 budget-guard refused this call: tenant "acme"');
    expect(readConfig({}, at.folder).prices).toEqual((config as { prices: object }).prices);
  });
});
