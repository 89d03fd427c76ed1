import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { auditEntry } from "../../src/telemetry/audit-entry.ts";
import { aGuardSpan, aPlainSpan, aSpan, exportOf, incidentLog, START } from "../backtest/traffic.ts";
import { decided, ended, refused, T0 } from "../telemetry/scene.ts";
import { type Folder, folder } from "./command.ts";

const MINUTE = 60_000;

async function replayed(project: Folder, ...args: readonly string[]) {
  const { code, out, err } = await project.run(["backtest", ...args, "--json"]);
  if (out === "") throw new Error(`ended with ${code}: ${err}`);
  return { code, ...JSON.parse(out) };
}

/** So many guard spans, a minute apart, $0.135 each. */
const spans = (amount: number, attributes = {}) =>
  Array.from({ length: amount }, (_, n) => aGuardSpan({ at: START + n * MINUTE, attributes }));

describe("backtest reads", () => {
  const policy = "tenant.total > $0.30 -> deny";
  const expected = { code: 0, calls: 4, recorded: 0.54, spent: 0.27, refused: 2 };
  const four = spans(4);

  it.each([
    ["lines of a collector", `${exportOf(four.slice(0, 2))}\n${exportOf(four.slice(2))}\n`],
    ["one whole export", JSON.stringify(JSON.parse(exportOf(four)), null, 2)],
    ["an array of exports", `[${exportOf(four.slice(0, 1))},${exportOf(four.slice(1))}]`],
    ["single spans", four.map((span) => JSON.stringify(span)).join("\n")],
    ["spans out of order", exportOf([...four].reverse())],
    ["spans told twice", `${exportOf(four)}\n${exportOf(four.slice(1))}\n`],
    [
      "spans among other things",
      `${exportOf([...four, aSpan({ at: START, name: "GET /", attributes: {} })])}\n{"resourceLogs": []}\n`,
    ],
    ["spans among broken lines", `{"resour\n${exportOf(four)}\nnonsense\n{"what": "else"}\n`],
  ])("%s", async (_, text) => {
    const project = folder(policy);
    project.write("spans.json", text);
    expect(await replayed(project, "spans.json")).toMatchObject(expected);
  });

  it("gzip, whatever its name, and says where it is cut off", async () => {
    const project = folder(policy);
    const { writeFileSync } = await import("node:fs");
    const zipped = gzipSync(four.map((span) => `${JSON.stringify(span)}\n`).join(""));
    writeFileSync(`${project.path}/spans.log`, zipped);
    expect(await replayed(project, "spans.log")).toMatchObject(expected);
    writeFileSync(`${project.path}/cut.gz`, zipped.subarray(0, zipped.length - 20));
    const cut = await replayed(project, "cut.gz");
    expect(cut.leftovers.unusable).toMatchObject({ "the compressed file is cut off": 1 });
  });

  it("several files as one record", async () => {
    const project = folder(policy);
    project.write("a.json", exportOf(four.slice(2)));
    project.write("b.json", exportOf(four.slice(0, 2)));
    expect(await replayed(project, "a.json", "b.json")).toMatchObject(expected);
  });

  it("counts what it cannot use, by reason", async () => {
    const project = folder(policy);
    const unnamed = aSpan({ at: START, attributes: { "gen_ai.operation.name": "chat" } });
    const silent = aSpan({
      at: START,
      attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5" },
    });
    const agent = aPlainSpan({ at: START, attributes: { "gen_ai.operation.name": "invoke_agent" } });
    project.write("a.json", `${exportOf([...four, four[0], unnamed, silent, agent])}\n{oops\n{"v": 1}\n`);
    const found = await replayed(project, "a.json");
    expect(found.leftovers).toEqual({
      other_spans: 1,
      duplicates: 1,
      doubles: 0,
      late: 0,
      unusable: {
        "a line is cut off": 1,
        "it names no model": 1,
        "it tells neither tokens nor a cost": 1,
        "an audit line whose time is not a time": 1,
      },
    });
  });

  it("plain GenAI spans: priced by the table, the trace as the run", async () => {
    const project = folder("run.cost > $0.14 -> deny\nuser.total > $0.30 -> deny");
    const identity = { "user.id": "ann", "tenant.id": "acme", "gen_ai.agent.name": "critic" };
    const plain = [0, 1, 2, 3, 4].map((n) =>
      aPlainSpan({ at: START + n, traceId: `trace-${n >> 1}`, attributes: identity }),
    );
    project.write("a.json", exportOf(plain));
    // 12K x $5/M + 3K x $25/M each; the second of each trace is over its run, the last over its user.
    const found = await replayed(project, "a.json");
    expect(found).toMatchObject({ calls: 5, recorded: 0.675, spent: 0.27, refused: 3 });
    expect(found.rules.map(({ refused }: { refused: number }) => refused)).toEqual([2, 1]);
  });

  it("old names of attributes, and identities that stand on the resource", async () => {
    const project = folder('tenant.total > $0.20 when tenant == "acme" -> deny');
    const old = [0, 1].map((n) =>
      aSpan({
        at: START + n,
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.system": "anthropic",
          "gen_ai.request.model": "claude-opus-4-7",
          "gen_ai.usage.prompt_tokens": 12_000,
          "gen_ai.usage.completion_tokens": 3_000,
        },
      }),
    );
    project.write("a.json", exportOf(old, { "tenant.id": "acme" }));
    expect(await replayed(project, "a.json")).toMatchObject({ recorded: 0.27, refused: 1 });
  });

  it("a call once where the guard's span lies in that of another instrumentation", async () => {
    const project = folder(policy);
    const outer = aPlainSpan({ at: START, traceId: "t", spanId: "outer", tookMs: 500 });
    const inner = aGuardSpan({ at: START + 1, traceId: "t", spanId: "inner", parentSpanId: "outer", tookMs: 400 });
    project.write("a.json", exportOf([inner, outer]));
    expect(await replayed(project, "a.json")).toMatchObject({ calls: 1, recorded: 0.135, leftovers: { doubles: 1 } });
  });

  it("the guard's audit log: what went, what was refused, what a rule had changed", async () => {
    const arrival = { at: T0, traceId: null, baggage: {}, context: null };
    const lines = [
      auditEntry(arrival, decided(), ended()),
      auditEntry({ ...arrival, at: T0 + 1 }, refused(), null),
    ].map((line, n) => JSON.stringify({ ...line, attempt: `attempt-${n}` }));
    const project = folder("tenant.calls.total > 1 -> deny");
    project.write("audit.jsonl", `${lines.join("\n")}\n`);
    const went = ended().bill.cost.total / 1e9;
    const found = await replayed(project, "audit.jsonl");
    expect(found).toMatchObject({ calls: 2, refused: 1, recorded: went, spent: went });
    const lenient = folder("tenant.calls.total > 9 -> deny");
    lenient.write("audit.jsonl", `${lines.join("\n")}\n`);
    expect(await replayed(lenient, "audit.jsonl")).toMatchObject({ refused: 0, passed_anew: { calls: 1 } });
  });
});

describe("backtest tells", () => {
  it("people what happened, rule by rule", async () => {
    const project = folder(
      [
        "runs: run.calls > 25 -> deny",
        "shadow tighter: run.calls > 10 -> deny",
        'half: feature.total > $2 when feature == "research" -> warn',
      ].join("\n"),
    );
    project.write("spans.jsonl", [...incidentLog(1_000)].join(""));
    const { code, out, err } = await project.run(["backtest", "spans.jsonl"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    await expect(`${out.replace(/[0-9a-f]{12}/, "<hash>")}\n`).toMatchFileSnapshot("backtest/incident.txt");
  });

  it("that there is nothing to replay, and ends with 1", async () => {
    const project = folder("run.calls > 1 -> deny");
    project.write("empty.json", "");
    const { code, out } = await project.run(["backtest", "empty.json"]);
    expect(code).toBe(1);
    expect(out).toContain("No call was found");
  });

  it("that what is paused stays paused, unless --resume-after says otherwise", async () => {
    const project = folder("tenant last 1m > $0.14 -> pause");
    const dense = [0, 0.5, 10, 70, 80].map((minute) => aGuardSpan({ at: START + minute * MINUTE }));
    project.write("a.json", exportOf(dense));
    expect(await replayed(project, "a.json")).toMatchObject({ refused: 4 });
    expect(await replayed(project, "a.json", "--resume-after", "1h")).toMatchObject({ refused: 2 });
  });

  it.each([
    [[], "needs a file"],
    [["nope.json"], "no file nope.json"],
    [["policies"], "is no file"],
    [["a.json", "--resume-after", "soon"], "write a duration"],
    [["a.json", "--against", "nowhere"], "in no git repository"],
  ])("a mistake in %j with 2", async (args, said) => {
    const project = folder("run.calls > 1 -> deny");
    project.write("a.json", exportOf(spans(1)));
    const { code, err } = await project.run(["backtest", ...args]);
    expect(err).toContain(said);
    expect(code).toBe(2);
  });
});

describe("backtest --against", () => {
  const loose = "most: tenant.total > $1 -> deny";
  const tight = "most: tenant.total > $0.30 -> deny\nnight: tenant.calls.daily > 1 -> warn";

  /** A repository whose HEAD holds one policy and whose working tree another. */
  function repository(head: Readonly<Record<string, string>>, now: string): Folder {
    const project = folder();
    const git = (...args: readonly string[]) =>
      execFileSync("git", ["-C", project.path, "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
        stdio: "pipe",
      });
    git("init", "-q");
    for (const [file, text] of Object.entries(head)) project.write(file, text);
    git("add", ".");
    git("commit", "-q", "-m", "first");
    project.write("policies/p.budget", now);
    project.write("a.json", exportOf(spans(5)));
    return project;
  }

  it("a file says which calls only one of the two refuses, by rule, and the difference in dollars", async () => {
    const project = folder(tight);
    project.write("other.budget", loose);
    project.write("a.json", exportOf(spans(5)));
    const { against, ...ours } = await replayed(project, "a.json", "--against", "other.budget");
    expect(ours).toMatchObject({ refused: 3, spent: 0.27 });
    expect(against).toMatchObject({
      name: "other.budget",
      refused: 0,
      spent: 0.675,
      both_refuse: 0,
      only_this: { calls: 3, cost: 0.405, rules: [{ rule: "most", calls: 3, cost: 0.405 }] },
      only_other: { calls: 0, cost: 0, rules: [] },
      spent_difference: -0.405,
    });
    expect(against.only_this.first).toHaveLength(3);
    expect(against.only_this.first[0]).toMatchObject({ rule: "most", cost: 0.135, subject: { feature: "research" } });
  });

  it.each(["git:HEAD", "HEAD"])(
    "%s reads the policy of that revision, not that of the working tree",
    async (revision) => {
      const project = repository({ "policies/p.budget": tight }, loose);
      const { against, ...ours } = await replayed(project, "a.json", "--against", revision);
      expect(ours).toMatchObject({ refused: 0 });
      expect(against).toMatchObject({ name: revision, refused: 3, only_other: { calls: 3 } });
      expect(against.policy.files).toEqual(["policies/p.budget"]);
    },
  );

  it("reads what the policy of that revision imports from that revision too", async () => {
    const head = { "policies/p.budget": 'import "./shared/org.budget"\n', "policies/shared/org.budget": tight };
    const project = repository(head, loose);
    project.write("policies/shared/org.budget", "nonsense");
    expect((await replayed(project, "a.json", "--against", "git:HEAD")).against).toMatchObject({ refused: 3 });
  });

  it("finds the policy of a project that is a folder of its repository, and one that is a single file", async () => {
    const project = repository({ "apps/a/policies/p.budget": tight, "apps/a/package.json": "{}" }, "");
    project.write("apps/a/policies/p.budget", loose);
    const env = { BUDGET_GUARD_POLICY: "policies/p.budget" };
    for (const wishes of [{ below: "apps/a" }, { below: "apps/a", env }]) {
      const { code, out } = await project.run(["backtest", "../../a.json", "--against", "HEAD", "--json"], wishes);
      expect(code).toBe(0);
      expect(JSON.parse(out).against).toMatchObject({ refused: 3, policy: { files: ["policies/p.budget"] } });
    }
  });

  it("leaves links of that revision alone, and ends with 2 for what is no revision", async () => {
    const project = repository({ "policies/p.budget": tight }, loose);
    const { symlinkSync } = await import("node:fs");
    symlinkSync("../../elsewhere.budget", `${project.path}/policies/z.budget`);
    execFileSync("git", ["-C", project.path, "add", "policies/z.budget"], { stdio: "pipe" });
    execFileSync("git", ["-C", project.path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "link"]);
    execFileSync("rm", [`${project.path}/policies/z.budget`]);
    expect((await replayed(project, "a.json", "--against", "git:HEAD")).against.policy.files).toEqual([
      "policies/p.budget",
    ]);
    for (const word of ["git:nope", "--output=x", "HEAD:policies"]) {
      expect(await project.run(["backtest", "a.json", `--against=${word}`])).toMatchObject({ code: 2 });
    }
  });

  it("tells people the same", async () => {
    const project = folder(tight);
    project.write("other.budget", loose);
    project.write("a.json", exportOf(spans(12)));
    const { out } = await project.run(["backtest", "a.json", "--against", "other.budget"]);
    expect(out).toContain("Only this policy refuses 5 calls, $0.675:");
    expect(out).toContain("Only other.budget refuses nothing.");
    expect(out).toContain("$0.675 less is spent; both refuse 5 calls.");
  });
});
