import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = join(dirname(dirname(fileURLToPath(import.meta.url))), "src");

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .sort();
const text = (file: string): string => readFileSync(join(src, file), "utf8");
const imports = files.flatMap(importsOf);

/** parser.js is generated and counts as policy. */
function importsOf(file: string): readonly Import[] {
  const found: Import[] = [];
  const code = text(file).replace(/\/\*[\s\S]*?\*\//g, "");
  for (const match of code.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm)) {
    found.push({
      from: file,
      to: target(file, match[2] ?? match[3] ?? ""),
      typeOnly: match[1] !== undefined,
      lazy: false,
    });
  }
  for (const match of code.matchAll(/\bimport\("([^"]+)"\)/g)) {
    found.push({ from: file, to: target(file, match[1] ?? ""), typeOnly: false, lazy: true });
  }
  return found;
}

/** Paths inside src, `node:x` or a package name. */
function target(file: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(src, join(src, dirname(file), specifier)).replaceAll("\\", "/");
}

const folder = (file: string): string => (file.includes("/") ? file.slice(0, file.indexOf("/")) : "");

const everyones = ["errors.ts", "clock.ts", "config.ts", "config-file.ts", "keys.ts", "paths.ts", "version.ts"];

/** Who may import whom: a folder, or a single file. Every folder may import itself and what is everyone's. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  call: [],
  policy: ["call/call.ts"],
  store: ["policy/plan.ts"],
  response: ["call", "store/store.ts"],
  telemetry: ["call", "policy"],
  hook: ["call/call.ts"],
  cli: [
    "policy",
    "store",
    "call",
    "telemetry",
    "files.ts",
    "status.ts",
    "gates.ts",
    "limits.ts",
    "known-models.ts",
    "node-options.ts",
    "observing.ts",
    "price-table.ts",
    "lsp",
    "backtest",
  ],
  lsp: ["policy", "store", "call", "telemetry", "files.ts", "known-models.ts"],
  // What a policy makes of recorded calls is what it makes of calls: the same judging, on a ledger of its own.
  backtest: ["policy", "store", "call", "telemetry", "request.ts", "judging.ts", "foresight.ts", "waiter.ts"],
};

describe("the import directions", () => {
  it.each(Object.keys(allowed))("%s imports only what stands before it on the road", (from) => {
    const wrong = imports
      .filter((one) => folder(one.from) === from && (folder(one.to) !== "" || one.to.endsWith(".ts")))
      .filter(({ to }) => !to.startsWith("node:") && !to.startsWith("@"))
      .filter(({ to }) => to.endsWith(".ts") || to.endsWith(".js"))
      .filter(({ to }) => folder(to) !== from && !everyones.includes(to))
      .filter(({ to }) => !(allowed[from] ?? []).some((may) => to === may || folder(to) === may));
    expect(wrong.map((one) => `${one.from} -> ${one.to}`)).toEqual([]);
  });

  it("hook knows no policy, store or telemetry, and nobody but the start of the program knows hook's patches", () => {
    const users = imports.filter(({ from, to }) => to.startsWith("hook/") && folder(from) !== "hook");
    const wrong = users.filter(({ from, to }) => {
      const shapes = ["hook/exchange.ts", "hook/refusal.ts"].includes(to);
      return folder(from) !== "" || (!shapes && from !== "start.ts");
    });
    expect(wrong.map((one) => `${one.from} -> ${one.to}`)).toEqual([]);
  });

  it("has files in every folder that the rules name", () => {
    for (const name of Object.keys(allowed)) expect(files.some((file) => folder(file) === name)).toBe(true);
  });
});

describe("purity", () => {
  it("policy and call neither ask the time, read the environment, draw lots nor touch files or sockets", () => {
    const pure = files.filter((file) => ["policy", "call"].includes(folder(file)));
    const wrong = pure.filter((file) => /Date\.now|process\.env|Math\.random|randomUUID|new Date\(\)/.test(code(file)));
    const touching = imports.filter(
      ({ from, to }) => pure.includes(from) && /^node:(fs|net|http|child_process|os|process)/.test(to),
    );
    expect(wrong).toEqual([]);
    expect(touching).toEqual([]);
  });

  it("only clock.ts asks the time", () => {
    expect(files.filter((file) => file !== "clock.ts" && /\bDate\.now\b/.test(code(file)))).toEqual([]);
  });
});

describe("what every process pays", () => {
  it("reaches no heavy module from register.ts by static imports", () => {
    const heavy = /^(ioredis|@pydantic|@opentelemetry|node:sqlite|node:http2|node:zlib|node:child_process)/;
    const reached = closure("register.ts");
    const loaded = imports.filter(({ from, typeOnly, lazy }) => reached.has(from) && !typeOnly && !lazy);
    expect(loaded.filter(({ to }) => heavy.test(to)).map((one) => `${one.from} -> ${one.to}`)).toEqual([]);
  });

  it("awaits nothing at the top level, or require() of this package breaks", () => {
    expect(files.filter((file) => /^(const .*= )?await /m.test(code(file)))).toEqual([]);
  });
});

describe("style", () => {
  it("has no default exports, no index but one, no utils", () => {
    expect(files.filter((file) => /^export default/m.test(code(file)))).toEqual([]);
    expect(files.filter((file) => file.endsWith("index.ts"))).toEqual(["index.ts"]);
    expect(files.filter((file) => /(^|\/)(utils?|helpers?)(\/|\.ts)/.test(file))).toEqual([]);
  });

  it("keeps a file to one idea", () => {
    expect(files.filter((file) => text(file).split("\n").length > 300)).toEqual([]);
  });
});

function code(file: string): string {
  return text(file)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
}

function closure(start: string): ReadonlySet<string> {
  const reached = new Set<string>([start]);
  for (const file of reached) {
    for (const one of imports) {
      if (one.from === file && !one.typeOnly && !one.lazy && one.to.endsWith(".ts")) reached.add(one.to);
    }
  }
  return reached;
}
