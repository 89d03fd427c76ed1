/**
 * Diagnostics as a SARIF 2.1.0 log, which code scanning tools read
 * (docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
 * @module
 */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { Diagnostic, Severity, Source } from "../policy/diagnostics.ts";
import { describeCode } from "./diagnostic-codes.ts";
import { regionOf, textsOf } from "./place.ts";

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  error: "error",
  warning: "warning",
  info: "note",
};

/** The log; `locate` gives the path of a file from the folder that the log is relative to. */
export function sarif(
  diagnostics: readonly Diagnostic[],
  sources: readonly Source[],
  locate: (file: string) => string,
  version: string,
): unknown {
  const textOf = textsOf(sources);
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "budget-guard",
            version,
            semanticVersion: version,
            rules: codes.map((code) => ruleOf(code, diagnostics)),
          },
        },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((diagnostic) => ({
          ruleId: diagnostic.code,
          ruleIndex: codes.indexOf(diagnostic.code),
          level: levels[diagnostic.severity],
          message: { text: messageOf(diagnostic) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(locate(diagnostic.file)) },
                region: regionOf(diagnostic, textOf(diagnostic.file)),
              },
            },
          ],
        })),
      },
    ],
  };
}

function ruleOf(code: string, diagnostics: readonly Diagnostic[]): unknown {
  const { is, help } = describeCode(code);
  const severity = diagnostics.find((diagnostic) => diagnostic.code === code)?.severity ?? "error";
  return {
    id: code,
    name: code.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: is },
    help: { text: help, markdown: help },
    defaultConfiguration: { level: levels[severity] },
  };
}

/** The sentence with its note and help, each ended like a sentence. */
function messageOf({ message, note, help }: Diagnostic): string {
  return [message, note, help === undefined ? undefined : `Help: ${help}`]
    .filter((part) => part !== undefined)
    .map((part) => (/[.?!]$/.test(part) ? part : `${part}.`))
    .join(" ");
}

/** A path as a URI reference (RFC 3986): relative where the file is, with what URIs give a meaning escaped. */
function uriOf(path: string): string {
  if (isAbsolute(path)) return pathToFileURL(path).href;
  const uri = path.split("/").map(encodeURIComponent).join("/");
  // A colon in the first part would read as a scheme.
  return /^[^/]*%3A/.test(uri) ? `./${uri}` : uri;
}
