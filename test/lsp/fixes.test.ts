import { describe, expect, it } from "vitest";
import { fixFor } from "../../src/lsp/fixes.ts";
import type { Project } from "../../src/lsp/project.ts";
import type { Diagnostic } from "../../src/policy/diagnostics.ts";

/** A finding of the first word, and a project in which every edit makes all well. */
const finding = (code: string, help: string, end: number): Diagnostic => ({
  ...{ code, help, file: "a.budget", severity: "error", message: "wrong", span: { start: 0, end } },
});
const content = (diagnostic: Diagnostic): Pick<Project, "diagnostics" | "tryWith"> => ({
  diagnostics: [diagnostic],
  tryWith: () => [],
});
const fixOf = (diagnostic: Diagnostic, text: string) => fixFor(content(diagnostic), diagnostic, text);

describe("a fix", () => {
  it("is what the help says to write", () => {
    expect(fixOf(finding("unit", "write `$50`", 2), "50 -> deny")).toEqual({
      title: "Write `$50`",
      span: { start: 0, end: 2 },
      text: "$50",
    });
  });

  it("is none where the help gives an example, a choice, or a hint", () => {
    expect(fixOf(finding("unit", "write `$50`", 2), "20 -> deny")).toBeNull();
    expect(fixOf(finding("unit", "write `$50` or `50K tokens`", 2), "50 -> deny")).toBeNull();
    expect(fixOf(finding("no-window", "write `tenant.daily`", 6), "tenant > $5")).toBeNull();
    expect(fixOf(finding("unit", "drop `.tokens`", 2), "50 -> deny")).toBeNull();
  });

  it("is none where it was tried and does not help", () => {
    const diagnostic = finding("unit", "write `$50`", 2);
    const project = { ...content(diagnostic), tryWith: () => [diagnostic] };
    expect(fixFor(project, diagnostic, "50 -> deny")).toBeNull();
  });
});
