/**
 * Diagnostics as commands to a GitHub Actions runner, which shows them at their lines of a pull request
 * (docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
 * @module
 */
import type { Diagnostic, Severity, Source } from "../policy/diagnostics.ts";
import { regionOf, textsOf } from "./place.ts";

const commands: Readonly<Record<Severity, "error" | "warning" | "notice">> = {
  error: "error",
  warning: "warning",
  info: "notice",
};

/** One command a line; `locate` gives the path of a file from the folder of the checkout. */
export function annotations(
  diagnostics: readonly Diagnostic[],
  sources: readonly Source[],
  locate: (file: string) => string,
): readonly string[] {
  const textOf = textsOf(sources);
  return diagnostics.map((diagnostic) => {
    const { startLine, startColumn, endLine, endColumn } = regionOf(diagnostic, textOf(diagnostic.file));
    const properties = [
      ["file", locate(diagnostic.file)],
      ["line", startLine],
      // The runner takes columns only where a finding is on one line, and the last one as part of it.
      ...(startLine === endLine ? [["col", startColumn]] : []),
      ["endLine", endLine],
      ...(startLine === endLine ? [["endColumn", Math.max(startColumn, endColumn - 1)]] : []),
      ["title", `budget-guard: ${diagnostic.code}`],
    ];
    const text = [diagnostic.message, diagnostic.note, diagnostic.help].filter((part) => part !== undefined).join("\n");
    return `::${commands[diagnostic.severity]} ${properties.map(([name, value]) => `${name}=${property(String(value))}`).join(",")}::${data(text)}`;
  });
}

/** As `escapeData` and `escapeProperty` of github.com/actions/toolkit, packages/core/src/command.ts. */
const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
