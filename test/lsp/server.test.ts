import { once } from "node:events";
import { readFileSync } from "node:fs";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnostic } from "vscode-languageserver-protocol/node";
import { policyText } from "../policy/random-text.ts";
import { anEditor, Editor } from "./editor.ts";

/** An editor with one document open, and its text. */
async function editing(text: string, file = "policies/a.budget", files: Readonly<Record<string, string>> = {}) {
  const editor = anEditor({ ...files, [file]: text });
  await editor.start();
  await editor.open(file, text);
  return editor;
}

/** Markdown would be a message, too. */
const said = ({ message }: Diagnostic): string => (typeof message === "string" ? message : message.value);

const labels = (items: readonly { readonly label: string }[]): readonly string[] => items.map(({ label }) => label);

describe("the language server", () => {
  it("says who it is and what it can do, and ends when it is told to", async () => {
    const editor = anEditor();
    const { serverInfo, capabilities } = await editor.start();
    expect(serverInfo).toEqual({
      name: "budget-guard",
      version: JSON.parse(readFileSync("package.json", "utf8")).version,
    });
    expect(capabilities).toMatchObject({
      hoverProvider: true,
      documentFormattingProvider: true,
      definitionProvider: true,
    });
    await editor.connection.sendRequest("shutdown");
    const ended = once(editor.server, "exit");
    await editor.connection.sendNotification("exit");
    expect((await ended)[0]).toBe(0);
    expect(editor.stderr).toBe("");
  });

  it("ends when the editor goes away", async () => {
    const editor = anEditor();
    await editor.start();
    const ended = once(editor.server, "exit");
    editor.server.stdin?.end();
    await ended;
  });
});

describe("diagnostics", () => {
  it("shows what check says, where it says it, with the help", async () => {
    const editor = await editing("# \u{1F600}\ntenant.horuly > $50 -> deny\n");
    expect(await editor.diagnostics("policies/a.budget")).toEqual([
      {
        range: { start: { line: 1, character: 7 }, end: { line: 1, character: 13 } },
        severity: 1,
        code: "unknown-name",
        source: "budget-guard",
        message: "unknown metric or window `horuly`\nhelp: did you mean `hourly`?",
      },
    ]);
  });

  it("follows the text as it is written, saved or not", async () => {
    const editor = await editing("tenant.hourly > 50 -> deny\n");
    await editor.diagnostics("policies/a.budget", (found) => found.length === 1);
    await editor.change("policies/a.budget", "tenant.hourly > $50 -> deny\n");
    await editor.diagnostics("policies/a.budget", (found) => found.length === 0);
  });

  it("reads the folder as one policy: names of other files, on the disk and in other documents", async () => {
    const editor = await editing("research > 100% -> deny\n", "policies/a.budget", {
      "policies/b.budget": "budget research = $6K of feature.monthly\n",
    });
    await editor.diagnostics("policies/a.budget", (found) => found.length === 0);
    await editor.open("policies/b.budget", "budget reserch = $6K of feature.monthly\n");
    const [found] = await editor.diagnostics("policies/a.budget", (all) => all.length > 0);
    expect(found?.message).toContain("did you mean `reserch`?");
    // Closed without being saved: the disk counts again.
    await editor.close("policies/b.budget");
    await editor.diagnostics("policies/a.budget", (all) => all.length === 0);
  });

  it("shows what is wrong in files of the policy that are not open, and takes it back", async () => {
    const editor = await editing("research > 100% -> deny\n", "policies/a.budget", {
      "policies/b.budget": "budget research = $6K of feature.monthly\ntenant.daily > 5 -> deny\n",
    });
    expect(await editor.diagnostics("policies/b.budget", (all) => all.length === 1)).toMatchObject([
      { code: "unit", range: { start: { line: 1 } } },
    ]);
    editor.write("policies/b.budget", "budget research = $6K of feature.monthly\n");
    await editor.changedOnDisk("policies/b.budget");
    await editor.diagnostics("policies/b.budget", (all) => all.length === 0);
  });

  it("takes everything back when nothing of the policy is open any more", async () => {
    const editor = await editing("tenant.daily > 7 -> deny\n", "policies/a.budget", {
      "policies/b.budget": "tenant.daily > 5 -> deny\n",
    });
    await editor.diagnostics("policies/b.budget", (all) => all.length === 1);
    await editor.close("policies/a.budget");
    await editor.diagnostics("policies/b.budget", (all) => all.length === 0);
    await editor.diagnostics("policies/a.budget", (all) => all.length === 0);
  });

  it("reads an imported file as it is being written", async () => {
    const editor = await editing('import "./org/org.budget"\nresearch > 100% -> deny\n', "policies/a.budget", {
      "policies/org/org.budget": "budget research = $6 of feature.daily\n",
    });
    await editor.diagnostics("policies/a.budget", (all) => all.every(({ severity }) => severity !== 1));
    await editor.open("policies/org/org.budget", "budget reserch = $6 of feature.daily\n");
    await editor.diagnostics("policies/a.budget", (all) => all.some((one) => said(one).includes("reserch")));
  });

  it("reads imports and files of limits", async () => {
    const editor = await editing(
      'import "./org/org.budget"\nlimit q by tenant from "q.json" else $1\ntenant.daily > q -> deny\n',
      "policies/a.budget",
      {
        "policies/org/org.budget": "tenant.daily > 7 -> deny\n",
        "policies/q.json": '{ "acme": "$5" }',
      },
    );
    await editor.diagnostics("policies/org/org.budget", (all) => all.length === 1);
    await editor.diagnostics("policies/a.budget", (all) => all.every(({ severity }) => severity !== 1));
  });

  it("takes a folder whose files cannot be one policy for many policies", async () => {
    const editor = await editing("budget b = $7 of global.daily\nb > 90% -> deny\n", "examples/b.budget", {
      "examples/a.budget": "budget b = $6 of global.daily\nb > 100% -> deny\n",
    });
    expect(await editor.diagnostics("examples/b.budget")).toEqual([]);
    // One that needs its neighbours is read with them, and they are not blamed for it where they are open themselves.
    await editor.open("examples/c.budget", "b > 80% -> dney\n");
    await editor.diagnostics("examples/c.budget", (all) => all[0]?.code === "unknown-action");
    expect(await editor.diagnostics("examples/b.budget")).toEqual([]);
    // In the folder that the guard reads it is an error.
    const deployed = await editing("budget b = $6 of global.daily\nb > 100% -> deny\n", "policies/a.budget", {
      "policies/b.budget": "budget b = $7 of global.daily\nb > 90% -> deny\n",
    });
    await deployed.diagnostics("policies/b.budget", (all) => all.some(({ code }) => code === "duplicate-name"));
  });

  it("knows prices, the deployment's own among them", async () => {
    const editor = await editing(
      'global.daily > $9 -> route to "gpt-5-mni"\nglobal.daily > $8 -> route to "mine"\n',
      "policies/a.budget",
      {
        "budget-guard.json": '{ "prices": { "mine": { "input": 1, "output": 2 } } }',
      },
    );
    const found = await editor.diagnostics("policies/a.budget", (all) => all.some(({ code }) => code === "unpriced"));
    const unpriced = found.filter(({ code }) => code === "unpriced");
    expect(unpriced).toHaveLength(1);
    const [fix] = await editor.fixes("policies/a.budget", unpriced[0] ?? found[0] ?? never());
    expect(fix?.edit?.changes?.[editor.uri("policies/a.budget")]).toMatchObject([{ newText: '"gpt-5-mini"' }]);
  });

  it("shows the syntax errors of test suites", async () => {
    const editor = await editing('test "x"\n  call tenant = "a"\n', "policies/a.test.budget");
    expect(await editor.diagnostics("policies/a.test.budget")).toHaveLength(1);
    await editor.change("policies/a.test.budget", 'test "x"\n  call tenant = "a"\n  expect allow\n');
    await editor.diagnostics("policies/a.test.budget", (all) => all.length === 0);
  });

  it("shows names in a test suite that its policy does not have, and how they are fixed", async () => {
    const file = "policies/a.test.budget";
    const text = 'test "x"\n  call tenent = "a"\n  expect deny by lop\n';
    const editor = await editing(text, file, { "policies/a.budget": "loop: run.repeats > 3 -> deny\n" });
    const found = await editor.diagnostics(file, (all) => all.length === 2);
    expect(found.map((one) => said(one).split("\n")[1])).toEqual([
      "help: did you mean `tenant`?",
      "help: did you mean `loop`?",
    ]);
    const fixes = await Promise.all(found.map((one) => editor.fixes(file, one)));
    expect(fixes.flat().map(({ title }) => title)).toEqual(["Change to `tenant`", "Change to `loop`"]);
  });

  it("tests the policy beside a suite, else the whole folder", async () => {
    const files = {
      "policies/a.budget": "loop: run.repeats > 3 -> deny\n",
      "policies/b.budget": "day: global.daily > $9 -> deny\n",
    };
    const suite = 'test "x"\n  call run = "a"\n  expect deny by day\n';
    const editor = await editing(suite, "policies/a.test.budget", files);
    await editor.diagnostics("policies/a.test.budget", (all) => all.length === 1);
    await editor.open("policies/all.test.budget", suite);
    await editor.diagnostics("policies/all.test.budget", (all) => all.length === 0);
  });

  it("judges a document that was never saved by itself", async () => {
    const editor = anEditor();
    await editor.start();
    await editor.open("", "tenant.daily > 5 -> deny\n", "untitled:Untitled-1");
    await editor.diagnostics("", (all) => all.length === 1, "untitled:Untitled-1");
  });
});

const never = (): never => {
  throw new Error("nothing was found");
};

describe("hovers", () => {
  const policy =
    '## What a month may cost.\nbudget month = $18K of global.monthly\n\ntenant.hourly > $50 when feature == "x" -> deny "No: {spent}"\nmonth > 90% # tenant\n  -> warn # user\n';
  const at = async (line: number, character: number) => {
    const editor = await editing(policy);
    const hover = await editor.hover("policies/a.budget", line, character);
    return { hover, text: JSON.stringify(hover?.contents ?? null) };
  };

  it("say what a word means, and what its rule does", async () => {
    const { hover, text } = await at(3, 9);
    expect(text).toContain("`hourly` (window): Since the hour began");
    expect(text).toMatch(/When a call .*above .*50.*: refuse the call/);
    expect(hover?.range).toEqual({ start: { line: 3, character: 7 }, end: { line: 3, character: 13 } });
  });

  it("show the declaration of a name, with its doc", async () => {
    const { text } = await at(4, 2);
    expect(text).toContain("budget month = $18K of global.monthly");
    expect(text).toContain("What a month may cost.");
  });

  it("explain placeholders, and say nothing in comments", async () => {
    expect((await at(3, 60)).text).toContain("`{spent}`: What is spent in the window");
    expect((await at(4, 15)).hover).toBeNull();
    expect((await at(5, 13)).hover).toBeNull();
  });
});

describe("completions", () => {
  const named =
    "dimension plan\nbudget month = $18K of global.monthly\nlimit quota by plan from store else $1\nloop: month > 100% -> deny\n";
  let editor: Editor;
  beforeAll(async () => {
    editor = new Editor({ "policies/named.budget": named });
    await editor.start();
    await editor.open("policies/a.budget", "");
    await editor.open("policies/a.test.budget", "");
    // Models are known once the first diagnostics are.
    await editor.diagnostics("policies/a.budget");
  });
  afterAll(() => editor.end());

  /** The labels at the `|` of a text. */
  const at = async (marked: string, file = "policies/a.budget") => {
    const offset = marked.indexOf("|");
    const text = marked.replace("|", "");
    const before = marked.slice(0, offset).split("\n");
    await editor.change(file, text);
    const items = await editor.complete(file, before.length - 1, (before.at(-1) ?? "").length);
    return { items, labels: labels(items) };
  };

  it.each([
    ["|", ["tenant", "call", "plan", "month", "budget", "import"]],
    ["ten|", ["tenant"]],
    ["tenant.|", ["cost", "hourly", "feature", "plan"]],
    ["tenant.feature.t|okens", ["tokens", "daily"]],
    ["tenant.tokens.|", ["daily", "monthly"]],
    ["call.|", ["cost", "retries", "unpriced"]],
    ["store.|", ["down"]],
    ["tenant |", ["last", ">"]],
    ["tenant last |", ["15m"]],
    ["tenant.daily > |", ["quota", "unlimited"]],
    ["tenant.daily > 2% of |", ["month"]],
    ["budget x = $5 of |", ["tenant", "feature"]],
    ["limit x by |", ["tenant", "plan"]],
    ["limit x by plan |", ["from"]],
    ["limit x by plan from store else |", ["quota"]],
    ["tenant.daily > $5 when |", ["feature", "plan", "not"]],
    ["tenant.daily > $5 when feature |", ["==", "in", "is missing"]],
    ["tenant.daily > $5\n  and call.|cost > $1 -> deny", ["cost"]],
    ["tenant.daily > $5 -> |", ["deny", "pause", "hold", "route"]],
    ["tenant.daily > $5 -> warn, |", ["deny"]],
    ["store.down -> |", ["local", "allow"]],
    ["tenant.daily > $5 -> deny |", ["for"]],
    ["tenant.daily > $5 -> route |", ["to"]],
    ['tenant.daily > $5 -> route to "|"', ["claude-haiku-4-5"]],
    ['tenant.daily > $5 when model == "gp|" -> deny', ["gpt-5-mini"]],
    ['tenant.daily > $5 when provider in ["a", "|"] -> deny', ["anthropic"]],
    ['tenant.daily > $5 -> deny "Back on {|', ["reset", "tenant", "plan"]],
    ['timezone "|"', ["Europe/Berlin"]],
  ])("at %s", async (marked, wanted) => {
    expect((await at(marked)).labels).toEqual(expect.arrayContaining(wanted));
  });

  it.each([
    ["tenant.tokens.|", ["cost", "feature"]],
    ["tenant.daily.|", ["cost", "hourly"]],
    ["tenant.daily > $5 -> |", ["tenant", "local", "allow"]],
    ["global.|", ["tenant", "plan"]],
    ["# tenant.|", ["daily"]],
    ['tenant.daily > $5 when feature == "ten|"', ["tenant"]],
    ["tenant.daily > $5|", ["tenant"]],
  ])("never what is wrong there: %s", async (marked, unwanted) => {
    const { labels: found } = await at(marked);
    expect(found.filter((label) => unwanted.includes(label))).toEqual([]);
  });

  it("replaces what was begun, quotes a model, and says what each word means", async () => {
    const { items } = await at("tenant.ho|");
    expect(items.find(({ label }) => label === "hourly")).toMatchObject({
      textEdit: { newText: "hourly", range: { start: { line: 0, character: 7 }, end: { line: 0, character: 9 } } },
      detail: "window",
      documentation: { kind: "markdown", value: expect.stringContaining("Since the hour began") },
    });
    const bare = await at("tenant.daily > $5 -> route to |");
    expect(bare.items.find(({ label }) => label === "gpt-5-mini")).toMatchObject({
      textEdit: { newText: '"gpt-5-mini"' },
    });
  });

  it.each([
    ["|", ["test"]],
    ['test "x"\n  |', ["given", "at", "call"]],
    ['test "x"\n  given |', ["tenant", "month"]],
    ['test "x"\n  call |', ["tenant", "cost", "plan"]],
    ['test "x"\n  call tenant = "a", |', ["feature"]],
    ['test "x"\n  call tenant = "a"\n  expect |', ["allow", "deny"]],
    ['test "x"\n  call tenant = "a"\n  expect deny by |', ["loop"]],
  ])("in a test at %s", async (marked, wanted) => {
    expect((await at(marked, "policies/a.test.budget")).labels).toEqual(expect.arrayContaining(wanted));
  });
});

describe("definitions", () => {
  it("lead to budgets, limits, dimensions and files", async () => {
    const editor = await editing(
      'import "./org/org.budget"\nlimit own by plan from "own.json" else quota\nmonth > 90% when plan == "pro" -> deny\n',
      "policies/a.budget",
      {
        "policies/org/org.budget":
          "dimension plan\nbudget month = $18K of global.monthly\nlimit quota by plan from store else $1\n",
        "policies/own.json": "{}",
      },
    );
    const target = async (line: number, character: number) => {
      const found = await editor.definition("policies/a.budget", line, character);
      return found === null
        ? null
        : [found.uri.slice(editor.uri("").length + 1), found.range.start.line, found.range.start.character];
    };
    expect(await target(0, 12)).toEqual(["policies/org/org.budget", 0, 0]);
    expect(await target(1, 27)).toEqual(["policies/own.json", 0, 0]);
    expect(await target(1, 40)).toEqual(["policies/org/org.budget", 2, 6]);
    expect(await target(2, 2)).toEqual(["policies/org/org.budget", 1, 7]);
    expect(await target(2, 18)).toEqual(["policies/org/org.budget", 0, 10]);
    expect(await target(2, 8)).toBeNull();
  });

  it("lead from a test to the rule that it expects", async () => {
    const editor = await editing('test "x"\n  call run = "r"\n  expect deny by loop\n', "policies/a.test.budget", {
      "policies/a.budget": "\nloop: run.calls > 5 -> deny\n",
    });
    expect(await editor.definition("policies/a.test.budget", 2, 19)).toMatchObject({
      uri: editor.uri("policies/a.budget"),
      range: { start: { line: 1, character: 0 } },
    });
  });
});

describe("outlines", () => {
  it("name rules, budgets, limits and dimensions", async () => {
    const editor = await editing(
      'import "./b.budget"\ndimension plan, zone\nbudget month = $18K of global.monthly\nlimit q by plan { "a": $1 } else $2\nloop: run.repeats > 3 -> deny "x"\ntenant.daily > q -> pause\nbroken >\n',
    );
    const symbols = await editor.symbols("policies/a.budget");
    expect(symbols.map(({ name, detail }) => [name, detail])).toEqual([
      ["./b.budget", "import"],
      ["plan", ""],
      ["zone", ""],
      ["month", "$18K of global.monthly"],
      ["q", "by plan"],
      ["loop", "run.repeats > 3 -> deny"],
      ["tenant.daily > q -> pause", ""],
    ]);
    expect(symbols[5]?.selectionRange).toEqual({ start: { line: 4, character: 0 }, end: { line: 4, character: 4 } });
  });

  it("name the tests of a suite", async () => {
    const editor = await editing('test "one"\n  call run = "r"\n  expect deny\n', "policies/a.test.budget");
    expect(await editor.symbols("policies/a.test.budget")).toMatchObject([{ name: "one", detail: "expect deny" }]);
  });
});

describe("formatting", () => {
  it("is what fmt does, and nothing where there is nothing to do or no way to read it", async () => {
    const editor = await editing("tenant.daily>$5->deny # why");
    expect(await editor.format("policies/a.budget")).toEqual([
      {
        range: { start: { line: 0, character: 0 }, end: { line: 0, character: 27 } },
        newText: "tenant.daily > $5 -> deny # why\n",
      },
    ]);
    await editor.change("policies/a.budget", "tenant.daily > $5 -> deny\n");
    expect(await editor.format("policies/a.budget")).toEqual([]);
    await editor.change("policies/a.budget", "tenant.daily>$5\n");
    expect(await editor.format("policies/a.budget")).toEqual([]);
  });
});

describe("quick fixes", () => {
  let editor: Editor;
  beforeAll(async () => {
    editor = new Editor();
    await editor.start();
  });
  afterAll(() => editor.end());

  /** The first finding of a text, shown in a document of its own. */
  let documents = 0;
  const found = async (text: string) => {
    const file = `policies-${++documents}/a.budget`;
    await editor.open(file, text);
    const [diagnostic] = await editor.diagnostics(file, (all) => all.some(({ severity }) => severity === 1));
    return { file, diagnostic: diagnostic ?? never() };
  };

  it.each([
    ["tenant.horuly > $50 -> deny\n", "tenant.hourly > $50 -> deny\n"],
    ["customer.daily > $50 -> deny\n", "tenant.daily > $50 -> deny\n"],
    ["tenant.daily.tokens > 2M -> deny\n", "tenant.tokens.daily > 2M -> deny\n"],
    ["tenant.daily > 50 -> deny\n", "tenant.daily > $50 -> deny\n"],
    ["tenant.daily > €50 -> deny\n", "tenant.daily > $50 -> deny\n"],
    ["tenant.daily > $2,500 -> deny\n", "tenant.daily > $2_500 -> deny\n"],
    ["run.tokens > 200k -> deny\n", "run.tokens > 200K -> deny\n"],
    ["tenant.daily > $5 => deny\n", "tenant.daily > $5 -> deny\n"],
    ["tenant.daily > $5 -> block\n", "tenant.daily > $5 -> deny\n"],
    ['tenant.daily > $5 when feature = "x" -> deny\n', 'tenant.daily > $5 when feature == "x" -> deny\n'],
    ['tenant.daily > $5 when model == "gpt-*" -> deny\n', 'tenant.daily > $5 when model matches "gpt-*" -> deny\n'],
    ["tenant.daily > $5 -> deny “no”\n", 'tenant.daily > $5 -> deny "no"\n'],
    ['tenant.daily > $5 -> deny "{tenent}"\n', 'tenant.daily > $5 -> deny "{tenant}"\n'],
    ['timezone "Europe/Berln"\nrun.cost > $5 -> deny\n', 'timezone "Europe/Berlin"\nrun.cost > $5 -> deny\n'],
  ])("%s", async (text, wanted) => {
    const { file, diagnostic } = await found(text);
    const [fix] = await editor.fixes(file, diagnostic);
    expect(fix).toMatchObject({ kind: "quickfix", isPreferred: true, diagnostics: [{ code: diagnostic.code }] });
    expect(applied(text, fix?.edit?.changes?.[editor.uri(file)] ?? [])).toBe(wanted);
  });

  it.each([
    "tenant > $50 -> deny\n",
    "tenant.hourly > $50\n",
    "tenant.daily > $5 -> frobnicate\n",
    "research > 80% -> deny\n",
    "tenant last 900d > $5 -> deny\n",
    "call.cost > $5 -> cap $2\n",
    'limit q by tenant { "a": $5 }\ntenant.daily > q -> deny\n',
  ])("none where nobody knows what was meant: %s", async (text) => {
    const { file, diagnostic } = await found(text);
    expect(await editor.fixes(file, diagnostic)).toEqual([]);
  });
});

function applied(
  text: string,
  edits: readonly {
    readonly range: {
      readonly start: { line: number; character: number };
      readonly end: { line: number; character: number };
    };
    readonly newText: string;
  }[],
): string {
  const offset = ({ line, character }: { line: number; character: number }): number =>
    text.split("\n").slice(0, line).join("\n").length + (line === 0 ? 0 : 1) + character;
  const [edit] = edits;
  if (edit === undefined) return text;
  return text.slice(0, offset(edit.range.start)) + edit.newText + text.slice(offset(edit.range.end));
}

describe("garbage", () => {
  it("at the start of a text is a place like any other", async () => {
    const editor = await editing("\n\n\nx");
    for (const line of [0, 1, 2, 3])
      expect((await editor.complete("policies/a.budget", line, 0)).length).toBeGreaterThan(10);
  });

  it("neither ends the server nor leaves a request without an answer", async () => {
    const editor = await editing("");
    const texts = [
      ...fc.sample(policyText, { numRuns: 15, seed: 7 }).map((text, index) => text.slice(0, text.length - index)),
      ...fc.sample(fc.string({ unit: "binary", maxLength: 200 }), { numRuns: 15, seed: 7 }),
      "(".repeat(10_000),
      "## \n".repeat(2_000),
      `x > ${"not ".repeat(5_000)}`,
      '"',
      "tenant.",
      "->",
    ];
    for (const text of texts) {
      await editor.change("policies/a.budget", text);
      for (const [line, character] of [
        [0, 0],
        [0, 3],
        [1, 1],
        [99, 99],
      ] as const) {
        await editor.hover("policies/a.budget", line, character);
        await editor.complete("policies/a.budget", line, character);
        await editor.definition("policies/a.budget", line, character);
      }
      await editor.symbols("policies/a.budget");
      await editor.format("policies/a.budget");
      const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
      await editor.fixes("policies/a.budget", { range, message: "" });
    }
    await editor.change("policies/a.budget", "tenant.daily > 5 -> deny\n");
    await editor.diagnostics("policies/a.budget", (all) => all.length === 1 && all[0]?.code === "unit");
    expect(editor.stderr).toBe("");
  });

  it("is answered: unknown methods, documents that are not open, addresses that are none", async () => {
    const editor = await editing("tenant.daily > $5 -> deny\n");
    await expect(editor.connection.sendRequest("budget/nothing", {})).rejects.toThrow(/Unhandled method/);
    expect(await editor.hover("policies/gone.budget", 0, 0)).toBeNull();
    for (const uri of ["", "file://", "file:///%", "http://x/y.budget", "%%%"]) {
      await editor.open("", "tenant.daily > 5 -> deny\n", uri);
    }
    await editor.diagnostics("", (all) => all.length === 1, "%%%");
  });

  it("survives a message that is no message", async () => {
    const editor = await editing("tenant.daily > 5 -> deny\n");
    await editor.diagnostics("policies/a.budget", (all) => all.length === 1);
    editor.server.stdin?.write('Content-Length: 9\r\n\r\n{"no json');
    await editor.change("policies/a.budget", "tenant.daily > $5 -> deny\n");
    await editor.diagnostics("policies/a.budget", (all) => all.length === 0);
  });
});
