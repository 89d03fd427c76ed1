import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { format } from "../../src/policy/format.ts";
import { commentsOf } from "../../src/policy/format-comments.ts";
import { parsePolicy, parseSuite } from "../../src/policy/syntax.ts";
import { policyText, suiteText } from "./random-text.ts";

type Kind = Parameters<typeof format>[1];

function formatted(text: string, kind: Kind = "policy"): string {
  const result = format(text, kind);
  if (result.kind === "unreadable") throw new Error(result.findings.map(({ message }) => message).join("\n"));
  return result.text;
}

/** The tree without positions, and doc lines without white space at their ends. */
function tree(text: string, kind: Kind): unknown {
  const { findings, ...rest } = kind === "suite" ? parseSuite(text) : parsePolicy(text);
  expect(findings, text).toEqual([]);
  return JSON.parse(
    JSON.stringify(rest, (key, value) =>
      key === "span" ? undefined : key === "doc" && value !== null ? String(value).replace(/[ \t]+$/gm, "") : value,
    ),
  );
}

/** Comments without their marks: `##` loses one where it would become a doc line. */
const notes = (text: string): readonly string[] =>
  commentsOf(text.replaceAll("\r\n", "\n"))
    .map((comment) => comment.text.replace(/^[# ]+/, "").trim())
    .filter((note) => note !== "")
    .sort();

/** Policies as they come out, between the ones that go in. */
const shapes: readonly (readonly [title: string, given: string, wanted: string])[] = [
  [
    "puts one space between words, and words for signs",
    'tenant.daily   >$5\twhen   feature=="x"&&! ( agent == "y" )->deny   ,warn"gone"\n',
    'tenant.daily > $5 when feature == "x" and not agent == "y" -> deny, warn "gone"\n',
  ],
  [
    "aligns labels and arrows of rules that stand together, comments between them or not",
    [
      "a: run.calls > 25 -> deny",
      "## Dear.",
      "run-cost: run.cost > $5 -> deny",
      "# all",
      "global.daily > $100 -> pause # why",
      "",
      "shadow b: tenant.daily > $1 -> deny",
      "",
    ].join("\n"),
    [
      "a:        run.calls > 25 -> deny",
      "## Dear.",
      "run-cost: run.cost > $5  -> deny",
      "# all",
      "global.daily > $100      -> pause # why",
      "",
      "shadow b: tenant.daily > $1 -> deny",
      "",
    ].join("\n"),
  ],
  [
    "keeps an `and` or a `when` on a line of its own where its author put one, as in the $47K program",
    [
      "loop: run.repeats > 3 -> deny for 10m",
      "retries: feature.retries last 15m > 30%",
      "  and feature.retries last 15m > 20 -> deny for 10m",
      "burn: feature last 1h > 2% of research",
      '     when feature == "research" -> pause',
      "",
    ].join("\n"),
    [
      "loop:    run.repeats > 3                     -> deny for 10m",
      "retries: feature.retries last 15m > 30%",
      "           and feature.retries last 15m > 20 -> deny for 10m",
      "burn:    feature last 1h > 2% of research",
      '           when feature == "research"        -> pause',
      "",
    ].join("\n"),
  ],
  [
    "breaks what is longer than 100 columns at `and` and `when`, then at the arrow, then between the parts of a filter",
    [
      'tenant.feature.daily > $500 and tenant.calls last 15m > 2K when feature in ["enrichment", "summarizer"] -> deny',
      "",
      `tenant.monthly > quota -> pause "${"x".repeat(80)}"`,
      "",
      `tenant.monthly > quota when feature == "${"x".repeat(40)}" or not (agent == "${"y".repeat(40)}" and user is missing) -> deny`,
      "",
    ].join("\n"),
    [
      "tenant.feature.daily > $500",
      "  and tenant.calls last 15m > 2K",
      '  when feature in ["enrichment", "summarizer"] -> deny',
      "",
      "tenant.monthly > quota",
      `  -> pause "${"x".repeat(80)}"`,
      "",
      "tenant.monthly > quota",
      `  when feature == "${"x".repeat(40)}"`,
      `    or not (agent == "${"y".repeat(40)}" and user is missing) -> deny`,
      "",
    ].join("\n"),
  ],
  [
    "breaks a long list between its values and many actions between them",
    `tenant.daily > $5 when feature in [${Array.from({ length: 12 }, (_, at) => `"feature-${at}"`).join(",")}] -> warn "${"x".repeat(60)}", deny "${"y".repeat(40)}"\n`,
    [
      "tenant.daily > $5",
      '  when feature in ["feature-0", "feature-1", "feature-2", "feature-3", "feature-4", "feature-5",',
      '    "feature-6", "feature-7", "feature-8", "feature-9", "feature-10", "feature-11"]',
      `  -> warn "${"x".repeat(60)}",`,
      `     deny "${"y".repeat(40)}"`,
      "",
    ].join("\n"),
  ],
  [
    "leaves an arrow where it stands when the column of the others would push it past 100",
    `run.calls > 5 -> deny "${"x".repeat(70)}"\ntenant.feature.daily > $500 and tenant.calls > 2K -> deny\n`,
    `run.calls > 5 -> deny "${"x".repeat(70)}"\ntenant.feature.daily > $500 and tenant.calls > 2K -> deny\n`,
  ],
  [
    "writes a table as its author began it: on one line, or a row a line with the amounts below each other",
    'limit a by plan {"free":$5 "pro":$200,}else $1\nlimit b by plan {\n \t"free":$5,"enterprise":$5K}\n  else   $1\n',
    'limit a by plan { "free": $5, "pro": $200 } else $1\nlimit b by plan {\n  "free":       $5\n  "enterprise": $5K\n} else $1\n',
  ],
  [
    "breaks a table that is longer than 100 columns",
    `limit quota by tenant { ${["a", "bb", "ccc"].map((key) => `"${key}${"x".repeat(25)}": $5`).join(", ")} } else unlimited\n`,
    `limit quota by tenant {\n${["a", "bb", "ccc"].map((key) => `  ${`"${key}${"x".repeat(25)}":`.padEnd(31)} $5\n`).join("")}} else unlimited\n`,
  ],
  [
    "keeps the comments of a table where they are",
    'limit q by plan { # plans\n  # the first\n  "free": $5 # nothing\n  "pro": $200,   # sold\n  # no more\n} else $1 # strangers\n',
    'limit q by plan { # plans\n  # the first\n  "free": $5 # nothing\n  "pro":  $200 # sold\n  # no more\n} else $1 # strangers\n',
  ],
  [
    "keeps the comments within a rule where they are",
    'a: tenant.daily > $5 # one\n# two\n   and tenant.calls.daily > 9\n  when # three\n  feature == "x" # four\n   or feature == "y"\n  -> # five\n deny, # six\n # seven\n warn # eight\n',
    'a: tenant.daily > $5 # one\n     # two\n     and tenant.calls.daily > 9 # three\n     when feature == "x" # four\n       or feature == "y"\n     # five\n     -> deny, # six\n        # seven\n        warn # eight\n',
  ],
  [
    "lifts what has no place of its own above the statement and its doc",
    "## Doc.\nrun.calls # odd\n  > # place\n 5 # end\n  -> deny\n",
    "# odd\n# place\n## Doc.\nrun.calls > 5 # end\n  -> deny\n",
  ],
  [
    "keeps at most one blank line, none at the ends of the file, and no white space at the ends of lines",
    '\n\n# top  \n\n\n\ntimezone   "UTC"  \t\n\n\nrun.calls > 5 -> deny\n\n# last\n\n\n',
    '# top\n\ntimezone "UTC"\n\nrun.calls > 5 -> deny\n\n# last\n',
  ],
  [
    "reads Windows line ends and a byte order mark, and writes neither",
    "\uFEFF## Doc.\r\nrun.calls > 5\r\n  -> deny # why\r\n",
    "## Doc.\nrun.calls > 5 -> deny # why\n",
  ],
  [
    "makes no doc of what was none",
    "  ## indented\nrun.calls > 5 -> deny\n  ##### bar\nrun.calls > 6 -> deny\n## far\n\nrun.calls > 7 -> deny\n##near\nrun.calls > 8 -> deny\n",
    "# indented\nrun.calls > 5 -> deny\n# ##### bar\nrun.calls > 6 -> deny\n## far\n\nrun.calls > 7 -> deny\n## near\nrun.calls > 8 -> deny\n",
  ],
  ["leaves nothing of nothing", " \n\n", ""],
];

describe("formatting a policy", () => {
  it.each(shapes)("%s", (_, given, wanted) => {
    expect(formatted(given)).toBe(wanted);
    expect(formatted(wanted)).toBe(wanted);
    expect(tree(wanted, "policy")).toEqual(tree(given, "policy"));
  });

  it("says what is wrong with a text that it cannot read, and changes nothing", () => {
    const result = format("tenant.daily > $5\nrun.calls > 5 -> deny\n", "policy");
    expect(result).toMatchObject({ kind: "unreadable", findings: [{ message: "this rule has no `->`" }] });
  });

  it("formats what the checker refuses, as long as it can be read", () => {
    expect(formatted('tenant.horuly>50k=>block   "now"\n')).toBe('tenant.horuly > 50k => block "now"\n');
  });
});

describe("formatting a test suite", () => {
  it("writes a clause a line", () => {
    expect(
      formatted(
        [
          'test "one" given run.repeats=4 at "2026-04-19T03:47:00Z" call run="r-1",cost=$0.02 expect deny by loop # why',
          "## Two.",
          'test   "two"',
          "  # after midnight",
          '  at "2026-04-19T00:01:00Z" given tenant.daily = $4',
          `  call ${Array.from({ length: 9 }, (_, at) => `dimension-${at} = "v"`).join(",")}`,
          "  expect allow",
          "",
        ].join("\n"),
        "suite",
      ),
    ).toBe(
      [
        'test "one"',
        "  given run.repeats = 4",
        '  at "2026-04-19T03:47:00Z"',
        '  call run = "r-1", cost = $0.02',
        "  expect deny by loop # why",
        "## Two.",
        'test "two"',
        "  # after midnight",
        '  at "2026-04-19T00:01:00Z"',
        "  given tenant.daily = $4",
        `  call ${Array.from({ length: 4 }, (_, at) => `dimension-${at} = "v"`).join(", ")},`,
        `    ${Array.from({ length: 5 }, (_, at) => `dimension-${at + 4} = "v"`).join(", ")}`,
        "  expect allow",
        "",
      ].join("\n"),
    );
  });
});

describe("formatting anything", () => {
  const holds = (text: string, kind: Kind): void => {
    const once = formatted(text, kind);
    expect(tree(once, kind), `${text}\n----\n${once}`).toEqual(tree(text, kind));
    expect(formatted(once, kind), `${text}\n----\n${once}`).toBe(once);
    expect(notes(once)).toEqual(notes(text));
    expect(once).not.toMatch(/[ \t]\n|\r|\n\n\n|^\n|[^\n]$|\n\n$/);
  };

  it("keeps the tree and every comment of any policy, and has nothing to do a second time", () => {
    fc.assert(
      fc.property(policyText, (text) => holds(text, "policy")),
      { numRuns: 600 },
    );
  });

  it("keeps the tree and every comment of any test suite, and has nothing to do a second time", () => {
    fc.assert(
      fc.property(suiteText, (text) => holds(text, "suite")),
      { numRuns: 200 },
    );
  });
});
