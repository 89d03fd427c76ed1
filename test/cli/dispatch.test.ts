import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { folder } from "./command.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const verbs = ["init", "run", "check", "status", "pause", "resume"];

describe("the command line", () => {
  it("prints its help with every verb and every exit code on stdout", async () => {
    const { code, out, err } = await folder().run(["--help"]);
    expect(code).toBe(0);
    for (const word of [...verbs, "78", "NO_COLOR"]) expect(out).toContain(word);
    expect(err).toBe("");
  });

  it.each(verbs)("prints the help of %s with an example", async (verb) => {
    const { code, out } = await folder().run([verb, "--help"]);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: budget-guard ${verb}`);
    expect(out).toContain("Examples:");
    expect(await folder().run(["help", verb])).toEqual({ code, out, err: "" });
  });

  it("prints the package's version", async () => {
    expect(await folder().run(["--version"])).toEqual({ code: 0, out: version, err: "" });
  });

  it("without a verb shows the help as talk and ends with 2", async () => {
    const { code, out, err } = await folder().run([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: budget-guard VERB");
  });

  it.each([
    [["stauts"], "Unknown verb stauts. Did you mean `budget-guard status`?"],
    [["frobnicate"], "Unknown verb frobnicate."],
    [["--versoin"], "Unknown option --versoin. Did you mean `budget-guard --version`?"],
    [["status", "--jsno"], "Unknown option --jsno. Did you mean --json?"],
    [["pause", "tenant=acme", "--for"], "--for"],
    [["pause", "tenant=acme", "--fro", "1h"], "Unknown option --fro. Did you mean --for?"],
    [["status", "acme"], "status takes no arguments"],
    [["init", "here"], "init takes no arguments"],
    [["run"], "run needs a command"],
    [["run", "--"], "run needs a command"],
    [["run", "--quiet", "node"], "Put `--` before the command."],
  ])("refuses %j with 2 and says what was meant", async (args, sentence) => {
    const { code, out, err } = await folder().run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(sentence);
    expect(err).toMatch(/See `budget-guard .*--help`\./);
  });

  it.each(["run", "check", "status", "pause", "resume"])("ends %s with 78 where a setting is wrong", async (verb) => {
    const args = { run: ["--", "node", "-e", "0"], pause: ["--all"], resume: ["--all"] }[verb] ?? [];
    const { code, err } = await folder().run([verb, ...args], { env: { BUDGET_GUARD_MODE: "loud" } });
    expect(code).toBe(78);
    expect(err).toContain('BUDGET_GUARD_MODE is "loud"; it can be enforce, shadow, off.');
  });

  it.each(["run", "status", "pause", "resume"])("ends %s with 78 where the store has no known scheme", async (verb) => {
    const args = { run: ["--", "node", "-e", "0"], pause: ["--all"], resume: ["--all"] }[verb] ?? [];
    const { code, err } = await folder().run([verb, ...args], { env: { BUDGET_GUARD_STORE: "mongo://x" } });
    expect(code).toBe(78);
    expect(err).toContain("BUDGET_GUARD_STORE names an unknown store (mongo:)");
  });
});
