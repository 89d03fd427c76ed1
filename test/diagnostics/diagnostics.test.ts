import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, type Models, type ReadFile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";

const folder = import.meta.dirname;

/** Files that no formatter would leave alone. */
const notJson: Readonly<Record<string, string>> = {
  "broken.json": '{\n  "acme": "$50",\n}\n',
  "twice.json": '{\n  "acme": "$50",\n  "globex": "$80",\n  "acme": "$500"\n}\n',
};

/** What the programs import and take limits from lies in `files`; the program itself is `bad.budget`. */
const read: ReadFile = (_, path) => {
  const file = path.replace(/^\.\//, "");
  if (file === "bad.budget") return { file, text: "" };
  const wrong = notJson[file];
  if (wrong !== undefined) return { file, text: wrong };
  const at = join(folder, "files", file);
  return existsSync(at) ? { file, text: readFileSync(at, "utf8") } : { why: "there is no such file" };
};
const known: Readonly<Record<string, { readonly provider: string; readonly price: number }>> = {
  "claude-haiku-4-5": { provider: "anthropic", price: 6_000_000_000 },
  "claude-opus-4-7": { provider: "anthropic", price: 30_000_000_000 },
  "gpt-5": { provider: "openai", price: 11_250_000_000 },
  "gpt-5-mini": { provider: "openai", price: 2_250_000_000 },
};
const models: Models = { names: Object.keys(known), find: (model) => known[model] ?? null };
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".budget"))
  .sort();

describe("a bad program is answered with message, caret and help", () => {
  it.each(names)("%s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const expected = readFileSync(join(folder, name.replace(".budget", ".txt")), "utf8");
    const { plan, diagnostics, sources } = compile([{ file: "bad.budget", text }], { models, read });
    expect(`${renderAll(diagnostics, sources)}\n`).toBe(expected);
    expect(plan === null).toBe(expected.includes("error["));
  });

  it("has the 40 of the language's definition, and as many again", () => {
    expect(names.length).toBeGreaterThanOrEqual(80);
  });

  it("says in every help line what to do", () => {
    for (const name of names) {
      const text = readFileSync(join(folder, name), "utf8");
      const { diagnostics } = compile([{ file: "bad.budget", text }], { models, read });
      expect(diagnostics, name).not.toEqual([]);
      for (const { help } of diagnostics) expect(help, name).toBeTruthy();
    }
  });

  it("stands in its place in files from Windows, too", () => {
    const text = "tenant.daily > $5 -> deny\r\n\r\ntenant.daily > 5 -> deny\r\ntenant.hourly > $5 -> denny\r\n";
    const { diagnostics, sources } = compile([{ file: "bad.budget", text }]);
    expect(diagnostics.map(({ code }) => code)).toEqual(["unit", "unknown-action"]);
    expect(renderAll(diagnostics, sources)).toContain(
      "4 | tenant.hourly > $5 -> denny\n  |                       ^^^^^\n",
    );
  });
});
