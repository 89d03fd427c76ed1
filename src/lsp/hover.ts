/**
 * What a word means, and what the rule that it stands in does.
 * @module
 */
import type { Span } from "../policy/ast.ts";
import { explainRule } from "../policy/explain.ts";
import type { Rule } from "../policy/plan.ts";
import { lineStart, type Spot, spotAt } from "./cursor.ts";
import type { Project } from "./project.ts";
import { type Kind, wordFor } from "./words.ts";

export interface Hover {
  readonly markdown: string;
  readonly span: Span;
}

/** The hover at an offset of a file, or null where there is nothing to say. */
export function hoverAt(project: Project, file: string, text: string, offset: number): Hover | null {
  const spot = spotAt(text, offset);
  if (spot.kind === "comment") return null;
  const meaning = meaningOf(spot, project, text, offset);
  const rule = ruleAt(project, file, offset);
  const explained = rule === null || project.plan === null ? null : explainRule(rule.rule, project.plan);
  const parts = [...(meaning === null ? [] : [meaning.markdown]), ...(explained === null ? [] : [escaped(explained)])];
  if (parts.length === 0) return null;
  return { markdown: parts.join("\n\n---\n\n"), span: meaning?.span ?? rule?.span ?? spot };
}

function meaningOf(spot: Spot, project: Project, text: string, offset: number): Hover | null {
  if (spot.kind === "string") return placeholderAt(spot, offset);
  if (spot.kind !== "word") return null;
  const declared = project.declarations.find(({ kind, name }) => kind !== "rule" && name === spot.text);
  if (declared !== undefined) {
    const doc = declared.doc === null ? "" : `\n\n${declared.doc}`;
    return { markdown: `\`\`\`budget\n${declared.text}\n\`\`\`${doc}`, span: spot };
  }
  const word = wordFor(spot.text, kindsAt(text, spot));
  return word === null ? null : { markdown: `\`${word.text}\` (${word.kind}): ${word.means}`, span: spot };
}

const anything: readonly Kind[] = ["scope", "metric", "window", "action", "keyword", "test", "flag"];

/** What a word can be where it stands. */
function kindsAt(text: string, { start, end }: Spot): readonly Kind[] {
  const before = text.slice(lineStart(text, start), start);
  const after = text.slice(end, end + 1);
  if (/^[ \t]*:/.test(text.slice(end, end + 20)) && /^(?:shadow[ \t]+)?$/.test(before)) return [];
  if (before.endsWith(".")) return ["flag", "metric", "window", "scope"];
  if (/^[ \t]+$/.test(before) && /^[ \t]/.test(after)) return ["test", ...anything];
  return after === "." ? ["scope"] : anything;
}

/** `{spent}` in a message. */
function placeholderAt(spot: Spot, offset: number): Hover | null {
  for (const { 0: found, index } of spot.text.matchAll(/\{([^{}\s"]*)\}/g)) {
    const start = spot.start + index;
    const end = start + found.length;
    if (offset < start || offset > end) continue;
    const word = wordFor(found.slice(1, -1), ["placeholder", "scope"]);
    return word === null ? null : { markdown: `\`${found}\`: ${word.means}`, span: { start, end } };
  }
  return null;
}

/** The rule whose statement holds the offset, as the plan has it. */
function ruleAt(project: Project, file: string, offset: number): { readonly rule: Rule; readonly span: Span } | null {
  const source = project.policies.find((one) => one.file === file);
  const node = source?.statements.find(
    ({ kind, span }) => kind === "Rule" && span.start <= offset && offset <= span.end,
  );
  if (source === undefined || node === undefined) return null;
  const line = source.text.slice(0, node.span.start).split("\n").length;
  const rule = project.plan?.rules.find((one) => one.file === file && one.line === line);
  return rule === undefined ? null : { rule, span: node.span };
}

/** Text that is no Markdown. */
const escaped = (text: string): string => text.replace(/[\\`*_{}[\]<>#|~$]/g, "\\$&");
