import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_OUTPUT, learn, lessonKeys } from "../src/call/estimate.ts";
import { verbs } from "../src/cli/dispatch.ts";
import { defaults, readConfig, unknownVariables } from "../src/config.ts";
import { compile } from "../src/policy/compile.ts";
import { renderAll } from "../src/policy/diagnostics.ts";
import { evaluate } from "../src/policy/evaluate.ts";
import { readingsOf } from "./policy/support.ts";
import { aCall } from "./support/a-call.ts";
import { type FakeProvider, fakeProvider } from "./support/fake-provider.ts";
import { type Project, project } from "./support/run-app.ts";

const DOLLAR = 1_000_000_000;

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

  it("shows a refusal as its first policy words it", () => {
    const { plan } = compile([{ file: "policies/starter.budget", text: blocks("budget")[0] ?? "" }]);
    if (plan === null) throw new Error("the first policy has errors");
    const hourly = {
      spent: 49.87 * DOLLAR,
      held: 0.1 * DOLLAR,
      add: 0.05 * DOLLAR,
      resetsAt: Date.parse("2026-11-22T15:00:00Z"),
    };
    const { decided } = evaluate(
      plan,
      aCall(),
      plan.rules,
      readingsOf(plan, { meters: { "tenant.cost.hourly": hourly } }),
    );
    const shown = blocks("text").map((text) => text.trimEnd().replaceAll("\n", " "));
    expect(shown).toContain(`402 budget-guard refused this call: ${decided?.message}`);
  });

  it("says of no construct that it does not run yet, for all of them do", () => {
    const constructs = [
      "tenant.daily > $5 -> hold 30s",
      "call.retries > 0 -> backoff 500ms",
      'tenant.daily > $5 -> route to "gpt-5-mini"',
      'limit quota by tenant { "acme": $50 } else $5\ntenant.monthly > quota -> deny',
      'limit quota by tenant from "limits.json" else $5\ntenant.monthly > quota -> deny',
      "limit quota by tenant from store else $5\ntenant.monthly > quota -> deny",
      'import "./org.budget"',
      "tenant.runs last 5m > 5 -> deny",
      "key.daily > $5 -> deny",
      "tenant last 5m > $500/h -> deny",
      'timezone "Europe/Berlin"\ntenant.daily > $5 -> deny',
    ];
    const read = (_: string, path: string) => ({ file: path, text: path.endsWith(".json") ? '{ "acme": "$9" }' : "" });
    for (const text of constructs) {
      const { diagnostics } = compile([{ file: "p.budget", text: `${text}\n` }], { read });
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    }
    expect(readme).not.toContain("do not run yet");
    expect(readme).not.toMatch(/hot reload[^.]*not there yet/);
  });

  it("names attributes that spans have", () => {
    const known = readFileSync(join(import.meta.dirname, "..", "src", "telemetry", "attributes.ts"), "utf8");
    const table = readme.slice(
      readme.indexOf("| attribute | |"),
      readme.indexOf("Prompts, completions, keys and headers"),
    );
    const names = [...table.matchAll(/`([\w.]+\.(?:\w+|\{[\w,]+\}))`/g)].flatMap(([, name = ""]) => {
      const [, stem = name, parts] = /^(.*)\{(.*)\}$/.exec(name) ?? [];
      return parts === undefined ? [stem] : parts.split(",").map((part) => stem + part);
    });
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(known).toContain(`"${name}"`);
  });

  it("gives the defaults that hold", () => {
    const table = Object.fromEntries(
      [...readme.matchAll(/^\| `BUDGET_GUARD_([A-Z]+)` \| .* \| `([^`]+)` \|$/gm)].map(([, name = "", value]) => [
        name.toLowerCase(),
        value,
      ]),
    );
    const { policy, store, config, mode, refusal, otel, log } = defaults;
    expect(table).toEqual({ policy: `${policy}/`, store, config, mode, refusal, otel, log });
    expect(readme).toContain(
      `\`deadline\` "${defaults.deadlineMs}ms", \`local\` "${defaults.localMillionths / 10_000}%", ` +
        `\`strict\` ${defaults.strict}, \`hold\` "${defaults.holdMs / 1_000}s"`,
    );
  });

  it("tells how a call without max_tokens is estimated", () => {
    expect(readme).toContain("estimated at 4K tokens of output until 20 calls of its model and feature");
    expect(DEFAULT_OUTPUT).toBe(4_096);
    expect([19, 20].map((calls) => learn([calls], [500], 0.95))).toEqual([null, 500]);
    expect(lessonKeys("openai", "gpt-5", "research").output).toMatch(/gpt-5.*research/);
  });

  it("names the Node versions that package.json names", () => {
    const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")) as {
      readonly engines: { readonly node: string };
    };
    expect(engines.node).toBe("^20.19.0 || >=22.12.0");
    expect(readme).toContain("on Node 20.19 or later (of 22: 22.12 or later).");
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

  it("find the figures of a refusal where it says, in each SDK", async () => {
    at = project({
      policy: "global.calls.total > 0 -> deny\n",
      env: { BUDGET_GUARD_HOSTS: `${provider.host}=openai` },
      files: {
        "app.mjs": `
          import Anthropic from "@anthropic-ai/sdk";
          import { createOpenAI } from "@ai-sdk/openai";
          import { generateText } from "ai";
          import OpenAI from "openai";
          const apiKey = "none";
          const messages = [{ role: "user", content: "hi" }];
          const caught = (call) => call.then(() => null, (error) => error);
          const openai = await caught(
            new OpenAI({ apiKey, baseURL: "${provider.url}/v1" }).chat.completions.create({ model: "gpt-5", messages }));
          const anthropic = await caught(
            new Anthropic({ apiKey, baseURL: "${provider.url}" }).messages.create({ model: "claude-opus-4-8", max_tokens: 9, messages }));
          const vercel = await caught(
            generateText({ model: createOpenAI({ apiKey, baseURL: "${provider.url}/v1" }).chat("gpt-5"), prompt: "hi" }));
          console.log(JSON.stringify([
            [openai.type, openai.headers.get("x-budget-guard"), openai.error.budget_guard],
            [anthropic.type, anthropic.headers.get("x-budget-guard"), anthropic.error.error.budget_guard],
            [vercel.statusCode, vercel.responseHeaders["x-budget-guard"], JSON.parse(vercel.responseBody).error.budget_guard],
          ]));
        `,
      },
    });
    const [openai, anthropic, vercel] = (await at.run()).json<readonly (readonly [unknown, unknown, object])[]>();
    const named = /holds ([\w, \n]+) \(OpenAI/.exec(readme)?.[1]?.split(/, |,\n| and /) ?? [];
    for (const seen of [openai, anthropic, vercel]) {
      expect(seen?.[1]).toBe("deny");
      expect(Object.keys(seen?.[2] ?? {}).sort()).toEqual([...named].sort());
    }
    expect([openai?.[0], anthropic?.[0], vercel?.[0]]).toEqual(["budget_exceeded", "budget_exceeded", 402]);
    expect(provider.requests).toHaveLength(0);
  });
});
