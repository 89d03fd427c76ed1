/**
 * Diagnostics as people read them in a terminal.
 * @module
 */
import type { Source } from "../files.ts";
import { type Diagnostic, render } from "../policy/diagnostics.ts";
import type { Colour, Paint } from "./terminal.ts";

const colours: Readonly<Record<Diagnostic["severity"], Colour>> = { error: "red", warning: "yellow", info: "cyan" };

/** All of them, a blank line between two; the severity and the carets are coloured. */
export function show(diagnostics: readonly Diagnostic[], sources: readonly Source[], paint: Paint): string {
  const texts = new Map(sources.map((source) => [source.file, source]));
  return diagnostics
    .map((diagnostic) => {
      const colour = colours[diagnostic.severity];
      const text = render(diagnostic, texts.get(diagnostic.file) ?? { file: diagnostic.file, text: "" });
      const [head = "", ...rest] = text.split("\n");
      const code = `${diagnostic.severity}[${diagnostic.code}]`;
      return [
        `${paint(colour, code)}${paint("bold", head.slice(code.length))}`,
        ...rest.map((line) =>
          line
            .replace(/^( *\| \s*)(\^+.*)$/, (_, gutter: string, carets: string) => gutter + paint(colour, carets))
            .replace(/^( *= )(help|note):/, (_, gutter: string, word: string) => gutter + paint("bold", `${word}:`)),
        ),
      ].join("\n");
    })
    .join("\n\n");
}
