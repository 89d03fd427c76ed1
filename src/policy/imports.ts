/**
 * The files of a policy: those that were named and those that they import, each once.
 * In: the named files, and how to read another. Out: every file parsed, in load order.
 * @module
 */
import type { ImportNode } from "./ast.ts";
import { imports as say } from "./declaration-messages.ts";
import type { Source } from "./diagnostics.ts";
import type { Finding } from "./finding.ts";
import { type Parsed, parsePolicy } from "./syntax.ts";

/**
 * Reads a file that a policy names. `file` is its name as shown to people, the same however it is reached; `why` is for
 * people: `there is no such file`.
 */
export type ReadFile = (
  from: string,
  path: string,
) =>
  | { readonly file: string; readonly text: string }
  /** `file`: where it was looked for, if that is a place that may be read. */
  | { readonly why: string; readonly file?: string };

export interface LoadedFile extends Parsed, Source {}

export interface Loaded {
  readonly files: readonly LoadedFile[];
  /** Files that were looked for in vain. */
  readonly missing: string[];
}

type Report = (file: string, finding: Finding) => void;

/** Parses the sources and all that they import. */
export function loadFiles(sources: readonly Source[], read: ReadFile | undefined, report: Report): Loaded {
  const files: LoadedFile[] = [];
  const known = new Set<string>();
  const missing: string[] = [];
  const edges = new Map<string, { readonly to: string; readonly node: ImportNode }[]>();
  const add = ({ file, text }: Source): void => {
    if (known.has(file)) return;
    known.add(file);
    const parsed = parsePolicy(text);
    for (const finding of parsed.findings) report(file, finding);
    files.push({ file, text, ...parsed });
  };
  for (const source of sources) add(source);
  // Grows while it is walked: an imported file's own imports come after it.
  for (const { file, statements } of files) {
    const targets: { to: string; node: ImportNode }[] = [];
    edges.set(file, targets);
    for (const node of statements) {
      if (node.kind !== "Import") continue;
      const found = target(node, file, read);
      if ("code" in found) report(file, found);
      else if ("why" in found) {
        report(file, say.unreadable(node.path.span, node.path.value, found.why));
        if (found.file !== undefined) missing.push(found.file);
      } else {
        targets.push({ to: found.file, node });
        add(found);
      }
    }
  }
  reportCircles(edges, report);
  return { files, missing };
}

function target({ path }: ImportNode, from: string, read: ReadFile | undefined): ReturnType<ReadFile> | Finding {
  const { value, span } = path;
  if (isElsewhere(value)) return say.elsewhere(span);
  if (!value.endsWith(".budget") || value.endsWith(".test.budget")) return say.notAPolicy(span, value);
  return read === undefined ? { why: "no other file can be read here" } : read(from, value);
}

/** Absolute paths, URLs, and paths with the other slash. Where `..` leads is for the reader to judge. */
export const isElsewhere = (path: string): boolean => /^[/~]|^[a-zA-Z][\w+.-]*:|\\/.test(path);

/** Every import that closes a circle, told once each; without recursion, since a chain may be long. */
function reportCircles(
  edges: ReadonlyMap<string, readonly { readonly to: string; readonly node: ImportNode }[]>,
  report: Report,
): void {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const trail: { readonly file: string; next: number }[] = [{ file: start, next: 0 }];
    const on = new Set([start]);
    if (done.has(start)) continue;
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const edge = edges.get(top.file)?.[top.next++];
      if (edge === undefined) {
        trail.pop();
        on.delete(top.file);
        done.add(top.file);
      } else if (on.has(edge.to)) {
        const circle = trail.slice(trail.findIndex(({ file }) => file === edge.to)).map(({ file }) => file);
        report(top.file, say.circle(edge.node.span, [...circle, edge.to].join(" → ")));
      } else if (!done.has(edge.to)) {
        trail.push({ file: edge.to, next: 0 });
        on.add(edge.to);
      }
    }
  }
}
