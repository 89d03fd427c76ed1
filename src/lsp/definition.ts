/**
 * From the use of a name to where it is declared, and from the path of a file to the file.
 * @module
 */
import type { Span } from "../policy/ast.ts";
import { spotAt } from "./cursor.ts";
import type { Project } from "./project.ts";

export interface Target {
  readonly file: string;
  readonly span: Span;
}

/** Where the thing at an offset is defined; null where it is nothing that a policy defines. */
export function definitionAt(project: Project, file: string, text: string, offset: number): Target | null {
  const spot = spotAt(text, offset);
  if (spot.kind === "string") return fileAt(project, file, offset);
  if (spot.kind !== "word") return null;
  const named = project.declarations.filter(({ name }) => name === spot.text);
  const ofRule = /\bby[ \t]+$/.test(text.slice(0, spot.start));
  const found = named.find(({ kind }) => (kind === "rule") === ofRule) ?? named[0];
  return found === undefined ? null : { file: found.file, span: found.span };
}

/** The file that an `import` or a `limit ... from` names. */
function fileAt(project: Project, file: string, offset: number): Target | null {
  const statements = project.policies.find((one) => one.file === file)?.statements ?? [];
  for (const node of statements) {
    const path =
      node.kind === "Import"
        ? node.path
        : node.kind === "Limit" && node.source.kind === "FromFile"
          ? node.source.path
          : null;
    if (path === null || offset < path.span.start || offset > path.span.end) continue;
    return { file: project.beside(file, path.value), span: { start: 0, end: 0 } };
  }
  return null;
}
