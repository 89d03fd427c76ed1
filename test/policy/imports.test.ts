import { describe, expect, it } from "vitest";
import { compile, type ReadFile } from "../../src/policy/compile.ts";

/** Files of one folder, by name. */
const folder =
  (files: Readonly<Record<string, string>>): ReadFile =>
  (_, path) => {
    const file = path.replace(/^(?:\.\/)+/, "");
    const text = files[file];
    return text === undefined ? { why: "there is no such file", file } : { file, text };
  };

const compiled = (files: Readonly<Record<string, string>>, ...named: readonly string[]) =>
  compile(
    named.map((file) => ({ file, text: files[file] ?? "" })),
    { read: folder(files) },
  );

describe("an imported file", () => {
  it("adds its rules and lends its names", () => {
    const files = {
      "a.budget": 'import "./b.budget"\nresearch > 100% when plan == "pro" -> deny',
      "b.budget": "dimension plan\nbudget research = $5 of feature.daily\nrun.calls > 5 -> deny",
    };
    const { plan, sources } = compiled(files, "a.budget");
    expect(plan?.rules.map(({ file }) => file)).toEqual(["a.budget", "b.budget"]);
    expect(plan?.files).toEqual(["a.budget", "b.budget"]);
    expect(sources.map(({ file }) => file)).toEqual(["a.budget", "b.budget"]);
  });

  it("counts once, however often it is imported and named", () => {
    const files = {
      "a.budget": 'import "./c.budget"\nimport "././c.budget"\nrun.calls > 5 -> deny',
      "b.budget": 'import "./c.budget"\nrun.calls > 6 -> warn',
      "c.budget": "cap: run.calls > 7 -> deny",
    };
    const { plan, diagnostics } = compiled(files, "a.budget", "b.budget", "c.budget");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(plan?.rules).toHaveLength(3);
  });

  it("makes the same plan whichever file is named first", () => {
    const files = {
      "a.budget": 'import "./b.budget"\ntenant.daily > $5 -> deny',
      "b.budget": "tenant.daily > $4 -> warn",
    };
    const { files: _, ...one } = compiled(files, "a.budget", "b.budget").plan ?? {};
    const { files: __, ...other } = compiled(files, "b.budget", "a.budget").plan ?? {};
    expect(one).toEqual(other);
  });

  it("changes the hash", () => {
    const files = { "a.budget": 'import "./b.budget"', "b.budget": "run.calls > 5 -> deny" };
    const hash = compiled(files, "a.budget").plan?.hash;
    expect(compiled({ ...files, "b.budget": "run.calls > 6 -> deny" }, "a.budget").plan?.hash).not.toBe(hash);
  });

  it("reports its errors in its own place", () => {
    const files = { "a.budget": 'import "./b.budget"', "b.budget": "\ntenant.daily > 5 -> deny" };
    const { plan, diagnostics } = compiled(files, "a.budget");
    expect(plan).toBeNull();
    expect(diagnostics).toMatchObject([{ file: "b.budget", code: "unit" }]);
  });
});

describe("imports that go round", () => {
  it("are an error that names the circle, once for each import that closes one", () => {
    const files = {
      "a.budget": 'import "./b.budget"',
      "b.budget": 'import "./c.budget"',
      "c.budget": 'import "./a.budget"\nrun.calls > 5 -> deny',
    };
    const { plan, diagnostics } = compiled(files, "a.budget");
    expect(plan).toBeNull();
    expect(diagnostics).toMatchObject([
      { code: "import", file: "c.budget", note: "a.budget → b.budget → c.budget → a.budget" },
    ]);
    expect(compiled({ "a.budget": 'import "./a.budget"' }, "a.budget").diagnostics).toMatchObject([
      { note: "a.budget → a.budget" },
    ]);
  });

  it("are not those of a diamond", () => {
    const files = {
      "a.budget": 'import "./b.budget"\nimport "./c.budget"',
      "b.budget": 'import "./d.budget"',
      "c.budget": 'import "./d.budget"',
      "d.budget": "run.calls > 5 -> deny",
    };
    expect(compiled(files, "a.budget").plan?.rules).toHaveLength(1);
  });

  it("are looked for once a file, though many ways lead to it", () => {
    const files: Record<string, string> = { "l40.budget": "run.calls > 5 -> deny" };
    for (let at = 0; at < 40; at++) {
      const next = at === 39 ? ["l40"] : [`l${at + 1}`, `r${at + 1}`];
      for (const side of ["l", "r"]) {
        files[`${side}${at}.budget`] = next.map((name) => `import "./${name}.budget"`).join("\n");
      }
    }
    expect(compiled(files, "l0.budget").plan?.rules).toHaveLength(1);
  });

  it("may follow a chain of 5,000 files without running out of stack", () => {
    const files: Record<string, string> = { "0.budget": 'import "./1.budget"\nrun.calls > 5 -> deny' };
    for (let at = 1; at < 5_000; at++) files[`${at}.budget`] = `import "./${at + 1}.budget"`;
    files["5000.budget"] = 'import "./0.budget"';
    expect(compiled(files, "0.budget").diagnostics).toMatchObject([{ file: "5000.budget", code: "import" }]);
  });
});

describe("a compile", () => {
  it("says which files it depends on, also where it failed", () => {
    const files = {
      "a.budget": 'import "./b.budget"\nimport "./gone.budget"\nlimit q by tenant from "q.json" else $5',
      "b.budget": 'limit r by tenant from "gone.json" else $5\ntenant.daily > q -> deny\ntenant.daily > r -> deny',
      "q.json": '{"acme": "$50"}',
    };
    const { plan, files: read } = compiled(files, "a.budget");
    expect(plan).toBeNull();
    expect([...read].sort()).toEqual(["a.budget", "b.budget", "gone.budget", "gone.json", "q.json"]);
  });

  it("without a reader reads nothing and says so", () => {
    const { diagnostics } = compile([{ file: "a.budget", text: 'import "./b.budget"' }]);
    expect(diagnostics).toMatchObject([{ code: "import", message: expect.stringContaining("no other file") }]);
  });

  it("never asks for absolute paths, URLs or other kinds of files", () => {
    const asked: string[] = [];
    const read: ReadFile = (_, path) => {
      asked.push(path);
      return { why: "there is no such file" };
    };
    const paths = ["/etc/a.budget", "~/a.budget", "https://x.example/a.budget", "file:///a.budget", "C:/a.budget"];
    const text = [
      ...[...paths, "./a.txt", "a.test.budget", "./a"].map((path) => `import "${path}"`),
      ...["/etc/q.json", "q.yaml", "q", "file:q.json"].map(
        (path, at) => `limit q${at} by tenant from "${path}" else $5`,
      ),
    ].join("\n");
    const { diagnostics } = compile([{ file: "a.budget", text }], { read });
    expect(asked).toEqual([]);
    expect(diagnostics.map(({ code }) => code)).toEqual(Array.from({ length: 12 }, () => "import"));
  });
});

describe("time zones", () => {
  it("belong to their file: a day there is another meter than a day here", () => {
    const files = {
      "a.budget": 'timezone "America/New_York"\nimport "./b.budget"\ntenant.daily > $5 -> deny\nb > 100% -> deny',
      "b.budget": "budget b = $50 of tenant.monthly\ntenant.daily > $5 -> deny\ntenant last 1h > $1 -> warn",
    };
    const { plan } = compiled(files, "a.budget");
    expect(plan?.meters.map(({ id }) => id)).toEqual([
      "tenant.cost.daily",
      "tenant.cost.daily@America/New_York",
      "tenant.cost.last 1h",
      "tenant.cost.monthly",
    ]);
    expect(plan?.meters[1]?.window).toEqual({ kind: "daily", timezone: "America/New_York" });
  });

  it("keep two rules of the same words apart", () => {
    const rule = "tenant.daily > $5 -> deny";
    const files = { "a.budget": `timezone "Europe/Berlin"\n${rule}`, "b.budget": rule };
    expect(compiled(files, "a.budget", "b.budget").plan?.rules.map(({ id }) => id)).toEqual([
      rule,
      `${rule} @Europe/Berlin`,
    ]);
    expect(compiled(files, "a.budget").plan?.rules.map(({ id }) => id)).toEqual([rule]);
    const mixed = "b > 50% and tenant.daily > $5 -> deny";
    const both = {
      "a.budget": `timezone "Europe/Berlin"\n${mixed}`,
      "b.budget": `budget b = $9 of tenant.monthly\n${mixed}`,
    };
    expect(compiled(both, "a.budget", "b.budget").plan?.rules).toHaveLength(2);
  });

  it.each(["UTC", "Etc/UTC"])("%s has no word in a meter's name", (zone) => {
    const { plan } = compiled({ "a.budget": `timezone "${zone}"\ntenant.daily > $5 -> deny` }, "a.budget");
    expect(plan?.meters.map(({ id }) => id)).toEqual(["tenant.cost.daily"]);
  });

  it.each(["Europe/Berlin", "Asia/Kolkata", "US/Eastern", "Pacific/Auckland"])("%s is one", (zone) => {
    expect(
      compiled({ "a.budget": `timezone "${zone}"\ntenant.daily > $5 -> deny` }, "a.budget").plan?.rules,
    ).toHaveLength(1);
  });

  it.each([
    "",
    "+02:00",
    "europe/berlin",
    "us/eastern",
    "Europe/berlin",
    "Berlin",
    "Mars/Base",
    "Europe/Berlin ",
    "../etc/passwd",
  ])("%j is none", (zone) => {
    const { diagnostics } = compiled({ "a.budget": `timezone "${zone}"` }, "a.budget");
    expect(diagnostics.map(({ code }) => code)).toEqual(["timezone"]);
  });

  it("do not let a day of one cover a day of another", () => {
    const files = {
      "a.budget": 'timezone "Asia/Tokyo"\ntenant.daily > $5 -> deny',
      "b.budget": "tenant.daily > $50 -> deny\ntenant.hourly > $5 -> deny",
    };
    expect(compiled(files, "a.budget", "b.budget").diagnostics.map(({ code }) => code)).toEqual([]);
  });
});
