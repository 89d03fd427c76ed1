/**
 * What may be written at the cursor, from the vocabulary and from what the policy declares.
 * @module
 */
import { providers } from "../call/providers/all.ts";
import { callFlags, callMetrics, metrics, placeholders, scopes, windows } from "../policy/vocabulary.ts";
import { type Cursor, type Place, placeAt } from "./context.ts";
import { statementAround } from "./cursor.ts";
import { isSuite, type Project } from "./project.ts";
import { type Kind, wordFor } from "./words.ts";

export interface Completion {
  readonly label: string;
  readonly kind: Kind | "budget" | "limit" | "dimension" | "rule" | "model" | "value" | "duration" | "zone";
  /** What is put in place of what was typed. */
  readonly insert: string;
  readonly detail: string;
  /** Markdown. */
  readonly doc: string | null;
}

export interface Completions {
  readonly start: number;
  readonly end: number;
  readonly items: readonly Completion[];
}

/** What may stand at an offset of a file. */
export function completionsAt(
  project: Project,
  file: string,
  text: string,
  offset: number,
  models: readonly string[],
): Completions {
  const { start } = statementAround(text, offset);
  const cursor: Cursor = placeAt(text.slice(start, offset), start, isSuite(file));
  const items = new Map(itemsAt(cursor.place, project, models).map((item) => [item.label, item]));
  return { start: cursor.start, end: offset, items: [...items.values()] };
}

function itemsAt(place: Place, project: Project, models: readonly string[]): readonly Completion[] {
  const dimensions = declared(project, "dimension");
  const subjects = (): readonly Completion[] => [
    ...word("scope", [...scopes, "call", "store"]),
    ...dimensions,
    ...declared(project, "budget"),
  ];
  switch (place.kind) {
    case "statement":
      return [
        ...subjects(),
        ...word("keyword", ["budget", "limit", "dimension", "import", "timezone", "shadow", "when"]),
      ];
    case "subject":
      return [...subjects(), ...word("keyword", ["when"])];
    case "path":
      return inPath(place.before, dimensions);
    case "after-subject":
      return [...word("keyword", ["last"]), ...plain([">", "->"])];
    case "amount":
      return [...declared(project, "limit"), ...word("keyword", ["unlimited"])];
    case "budget-name":
      return declared(project, "budget");
    case "duration":
      return ["30s", "1m", "5m", "15m", "1h", "6h", "24h", "7d"].map((label) => item(label, "duration", "duration"));
    case "dimension":
      return [
        ...word(
          "scope",
          scopes.filter((scope) => scope !== "global"),
        ),
        ...dimensions,
        ...word("keyword", ["not"]),
      ];
    case "test-of-dimension":
      return [
        ...plain(["==", "!="]),
        ...word("keyword", ["in", "matches"]),
        { ...item("is missing", "keyword", "keyword"), doc: wordFor("missing", ["keyword"])?.means ?? null },
      ];
    case "action":
      return word(
        "action",
        place.storeDown ? ["local", "deny", "allow"] : ["deny", "pause", "warn", "hold", "backoff", "cap", "route"],
      );
    case "word":
      return place.words.flatMap((text) => {
        const known = wordFor(text, ["keyword", "test", "scope"]);
        return known === null ? plain([text]) : word(known.kind, [text]);
      });
    case "rule-name":
      return declared(project, "rule");
    case "fact":
      return [
        ...word(
          "scope",
          scopes.filter((scope) => scope !== "global"),
        ),
        ...word("metric", callMetrics),
        ...dimensions,
      ];
    case "verdict":
      return word("action", ["allow", "warn", "deny", "pause", "hold", "backoff", "route", "cap"]);
    case "model":
      return models.map((name) => ({ ...item(name, "model", "model"), insert: place.quoted ? name : `"${name}"` }));
    case "value":
      return place.dimension === "provider" ? providers.map(({ name }) => item(name, "value", "provider")) : [];
    case "zone":
      return ["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => item(zone, "zone", "time zone"));
    case "placeholder":
      return [
        ...word("placeholder", placeholders),
        ...word(
          "scope",
          scopes.filter((scope) => scope !== "global"),
        ),
        ...dimensions,
      ];
    case "nothing":
      return [];
  }
}

/** After a dot: further scopes while there is neither metric nor window, a metric, a window. */
function inPath(before: readonly string[], dimensions: readonly Completion[]): readonly Completion[] {
  const [first = ""] = before;
  if (first === "call") return before.length > 1 ? [] : [...word("metric", callMetrics), ...word("flag", callFlags)];
  if (first === "store") return word("flag", ["down"]);
  if (before.some((part) => windows.some((window) => window === part))) return [];
  const measured = before.some((part) => [...metrics.keys()].some((metric) => metric === part));
  const further = first === "global" ? [] : scopes.filter((scope) => scope !== "global" && !before.includes(scope));
  return [
    ...(measured ? [] : [...word("metric", [...metrics.keys()]), ...word("scope", further)]),
    ...(measured || first === "global" ? [] : dimensions.filter(({ label }) => !before.includes(label))),
    ...(before.includes("concurrency") ? [] : word("window", windows)),
  ];
}

const item = (label: string, kind: Completion["kind"], detail: string): Completion => ({
  ...{ label, kind, detail },
  insert: label,
  doc: null,
});

const plain = (texts: readonly string[]): readonly Completion[] => texts.map((text) => item(text, "keyword", ""));

const word = (kind: Kind, texts: readonly string[]): readonly Completion[] =>
  texts.map((text) => ({ ...item(text, kind, kind), doc: wordFor(text, [kind])?.means ?? null }));

const declared = (project: Project, kind: "budget" | "limit" | "dimension" | "rule"): readonly Completion[] =>
  project.declarations
    .filter((one) => one.kind === kind)
    .map(({ name, text, doc }) => ({
      ...item(name, kind, kind),
      doc: `\`\`\`budget\n${text}\n\`\`\`${doc === null ? "" : `\n\n${doc}`}`,
    }));
