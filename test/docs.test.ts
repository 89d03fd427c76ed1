import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { verbs } from "../src/cli/dispatch.ts";
import { compile } from "../src/policy/compile.ts";
import { renderAll } from "../src/policy/diagnostics.ts";
import { parseSuite } from "../src/policy/syntax.ts";
import { actions, metrics, placeholders, scopes, windows } from "../src/policy/vocabulary.ts";

const root = join(import.meta.dirname, "..");
const language = readFileSync(join(root, "docs", "language.md"), "utf8");

const blocks = (text: string, kind: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, block = ""]) => block);

describe("the page on the language", () => {
  it("shows policies that compile without an error or a warning", () => {
    expect(blocks(language, "budget").length).toBeGreaterThan(2);
    for (const text of blocks(language, "budget")) {
      const sources = [{ file: "language.md", text }];
      const told = compile(sources).diagnostics.filter(({ severity }) => severity === "error");
      expect(renderAll(told, sources)).toBe("");
    }
  });

  it("shows tests that can be read", () => {
    const suites = blocks(language, "text").filter((text) => text.startsWith("test "));
    expect(suites).toHaveLength(1);
    for (const text of suites) expect(parseSuite(text).findings).toEqual([]);
  });

  it("names every scope, metric, window, action and placeholder", () => {
    const words = [...scopes, ...metrics.keys(), ...windows, ...actions];
    for (const word of words) expect(language, word).toMatch(new RegExp(`\`[^\`]*\\b${word}\\b[^\`]*\``));
    for (const word of placeholders) expect(language).toContain(`{${word}}`);
  });

  it("names only commands that are there, and every one that works on a policy", () => {
    const table = language.slice(language.indexOf("## Tools"));
    const named = [...table.matchAll(/^\| `([a-z]+)`/gm)].map(([, name = ""]) => name);
    const known = verbs.map(({ name }) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    const others = ["init", "run", "status", "pause", "resume", "doctor", "prices"];
    expect(known.filter((name) => !named.includes(name) && !others.includes(name))).toEqual([]);
  });
});

describe("every page", () => {
  const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => join("docs", name))].filter((name) =>
    name.endsWith(".md"),
  );

  it.each(pages)("%s links only to what is there", (page) => {
    const text = readFileSync(join(root, page), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = ""]) => link);
    const missing = links.filter((link) => !existsSync(join(root, dirname(page), link)));
    expect(missing).toEqual([]);
  });
});
