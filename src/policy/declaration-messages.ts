/**
 * What the checker says about declarations: time zones, imports, limits and their tables.
 * @module
 */
import type { Span } from "./ast.ts";
import { finding } from "./finding.ts";

const timezone = finding("error", "timezone");
const imported = finding("error", "import");
const unit = finding("error", "unit");
const noElse = finding("error", "no-else");

export const declarations = {
  timezone: (span: Span, zone: string, meant: string | null) =>
    timezone(
      span,
      `unknown time zone \`${zone}\``,
      meant === null ? 'write a name of the tz database, such as "Europe/Berlin"' : `did you mean "${meant}"?`,
    ),
  twoZones: (span: Span) => timezone(span, "a file has one time zone", "delete one of them"),
} as const;

export const imports = {
  /** `why` is a clause of its own: `there is no such file`. */
  unreadable: (span: Span, path: string, why: string) =>
    imported(
      span,
      `cannot import "${path}": ${why}`,
      'write the path from this file\'s folder: `import "./org.budget"`',
    ),
  notAPolicy: (span: Span, path: string) =>
    imported(
      span,
      "only policies can be imported",
      /(?:^|\/)[\w-]+$/.test(path) && !path.includes("..")
        ? `write \`import "${path}.budget"\``
        : "name a `*.budget` file that holds no tests",
    ),
  elsewhere: (span: Span) =>
    imported(
      span,
      "an import stays at or below this policy's folder",
      'write a relative path with `/`: `import "./org.budget"`',
    ),
  circle: (span: Span, circle: string) =>
    imported(span, "these imports go round in a circle", "delete this import: names are shared anyway", {
      note: circle,
    }),
} as const;

export const limits = {
  noElse: (span: Span, by: string, place: string, example: string) =>
    noElse(
      span,
      `a ${by} that is not in ${place} would be unlimited`,
      `add \`else ${example}\`; or \`else unlimited\` if that is what you mean`,
    ),
  circle: (span: Span, circle: string) =>
    noElse(span, "these limits lead back to themselves", "end the chain with an amount: `else $50`", { note: circle }),
  tooLong: (span: Span) =>
    noElse(span, "this chain of limits is longer than 100", "end the chain earlier with an amount: `else $50`"),
  rowUnit: (span: Span, given: string, above: string, number: string | null) =>
    unit(
      span,
      `this row is ${given}, the rows above are ${above}`,
      given === "a bare number" && above === "money" && number !== null
        ? `write \`$${number}\``
        : "all rows of a limit have one unit",
    ),
  fileRowUnit: (span: Span, given: string, above: string, number: string | null) =>
    unit(
      span,
      `it is ${given}, the others are ${above}`,
      given === "a bare number" && above !== "a bare number" && number !== null
        ? `write ${number} without quotes, or "${above === "money" ? `$${number}` : `${number} ${above}`}"`
        : "all rows of a limit have one unit, `else` too",
    ),
  elseUnit: (span: Span, given: string, above: string, number: string | null) =>
    unit(
      span,
      `this \`else\` is ${given}, the rows are ${above}`,
      given === "a bare number" && above !== "a bare number" && number !== null
        ? `write \`else ${above === "money" ? `$${number}` : `${number} ${above}`}\``
        : "all rows of a limit have one unit, `else` too",
    ),
  rowKind: (span: Span, given: string) =>
    unit(span, `${given} cannot stand in a limit`, "write an amount: `$50`, `2M tokens`, `20` or `unlimited`"),
  rowTwice: (span: Span, key: string) =>
    finding("error", "duplicate-name")(span, `there are two rows for "${key}"`, "delete one of them"),
  shareOfLimit: (span: Span, name: string, percent: string, path: string) =>
    finding("error", "percent")(
      span,
      `\`${name}\` is a limit, and a share is taken of a budget`,
      `write \`budget b = ${name} of ${path}\`, then \`${percent}% of b\``,
    ),
  /** `file` as written in the policy. */
  unreadable: (span: Span, file: string, why: string) =>
    imported(
      span,
      `cannot read the limits of "${file}": ${why}`,
      "write the path of a JSON file at or below this policy's folder",
    ),
  notJson: (span: Span, place: string) =>
    imported(span, `this file is not JSON: see ${place}`, 'it reads `{"acme": "$50", "globex": "$200"}`'),
  notATable: (span: Span, file: string) =>
    imported(span, `${file} is not a table of amounts`, 'it reads `{"acme": "$50", "globex": "$200"}`'),
  row: (span: Span, file: string, key: string, what: string, help?: string) =>
    imported(
      span,
      `row "${key}" of ${file}: ${what}`,
      help ?? 'an amount reads "$50", "2M tokens", 200 or "unlimited"',
    ),
} as const;
