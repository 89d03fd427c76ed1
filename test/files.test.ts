import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../src/errors.ts";
import { loadSources, readPolicies, type Source } from "../src/files.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "budget-guard-files-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): void {
  mkdirSync(join(root, name, ".."), { recursive: true });
  writeFileSync(join(root, name), text);
}

const read = (paths: readonly string[], asked = true): readonly Source[] =>
  readPolicies({ root, policy: { paths: paths.map((path) => join(root, path)), asked } });

describe("policy files", () => {
  it("are those of a folder by name, one level deep, without tests of policies", () => {
    write("policies/b.budget", "b");
    write("policies/a.budget", "a");
    write("policies/a.test.budget", "t");
    write("policies/deep/c.budget", "c");
    write("policies/notes.md", "n");
    expect(read(["policies"])).toEqual([
      { file: "policies/a.budget", text: "a" },
      { file: "policies/b.budget", text: "b" },
    ]);
  });

  it("are read once, in the order of the list that names them", () => {
    write("policies/a.budget", "a");
    write("z.budget", "z");
    const files = read(["z.budget", "policies", "policies/a.budget"]).map(({ file }) => file);
    expect(files).toEqual(["z.budget", "policies/a.budget"]);
  });

  it("are none where nobody asked for any and none is there", () => {
    expect(read(["policies"], false)).toEqual([]);
    mkdirSync(join(root, "policies"));
    expect(read(["policies"], false)).toEqual([]);
    expect(() => read(["policies"])).toThrow(/holds no \*\.budget file/);
    expect(() => read(["nowhere"])).toThrow(/nowhere does not exist/);
  });

  it("lose a byte order mark", () => {
    write("a.budget", Buffer.from([0xef, 0xbb, 0xbf, 0x61]));
    expect(read(["a.budget"])[0]?.text).toBe("a");
  });
});

describe("in a folder of policies", () => {
  it("what begins with a dot is an editor's: a lock that links nowhere, what an archiver laid beside a file", () => {
    write("policies/a.budget", "a");
    write("policies/._a.budget", Buffer.from([0, 5, 22, 7]));
    symlinkSync("somebody@host.1234:1790000000", join(root, "policies/.#a.budget"));
    expect(read(["policies"])).toEqual([{ file: "policies/a.budget", text: "a" }]);
  });

  it.skipIf(process.platform === "win32")("a pipe is named, and never read", () => {
    mkdirSync(join(root, "policies"));
    spawnSync("mkfifo", [join(root, "policies/pipe.budget")]);
    expect(() => read(["policies"])).toThrow(/pipe\.budget cannot be read: it is no ordinary file/);
  });
});

describe("what cannot be read stops the start and is named", () => {
  it("where a folder is called like a policy", () => {
    mkdirSync(join(root, "policies/x.budget"), { recursive: true });
    expect(() => read(["policies"], false)).toThrow(ConfigError);
    expect(() => read(["policies"], false)).toThrow(/x\.budget cannot be read: EISDIR/);
  });

  it("where a link leads nowhere, or back to itself", () => {
    mkdirSync(join(root, "policies"));
    symlinkSync(join(root, "gone.budget"), join(root, "policies/x.budget"));
    expect(() => read(["policies"], false)).toThrow(/x\.budget cannot be read: ENOENT/);
    symlinkSync(join(root, "loop"), join(root, "loop"));
    expect(() => read(["loop"], false)).toThrow(ConfigError);
  });

  it("where it is no UTF-8", () => {
    write("latin.budget", Buffer.from('tenant.daily > $1 -> deny "caf\xe9"', "latin1"));
    expect(() => read(["latin.budget"])).toThrow(/latin\.budget is not UTF-8 text/);
    write("wide.budget", Buffer.from("\ufefftenant.daily > $1 -> deny", "utf16le"));
    expect(() => read(["wide.budget"])).toThrow(/is not UTF-8 text/);
  });
});

describe("a file that a policy names", () => {
  const load = (...paths: readonly string[]) =>
    loadSources({ root, policy: { paths: paths.map((path) => join(root, path)), asked: true } });

  it("is read from the folder of the file that names it", () => {
    write("policies/a.budget", "a");
    write("policies/shared/org.budget", Buffer.from([0xef, 0xbb, 0xbf, 0x6f]));
    write("policies/shared/deep/limits.json", "{}");
    const { read } = load("policies");
    expect(read("policies/a.budget", "./shared/org.budget")).toEqual({ file: "policies/shared/org.budget", text: "o" });
    expect(read("policies/shared/org.budget", "deep/limits.json")).toEqual({
      file: "policies/shared/deep/limits.json",
      text: "{}",
    });
    expect(read("policies/shared/org.budget", "../a.budget")).toEqual({ file: "policies/a.budget", text: "a" });
  });

  it("has one name, by whatever path it is reached", () => {
    write("policies/a.budget", "a");
    write("policies/b.budget", "b");
    symlinkSync(join(root, "policies/b.budget"), join(root, "policies/link.budget"));
    const { sources, read } = load("policies");
    expect(new Set(sources.map(({ file }) => file))).toEqual(new Set(["policies/a.budget", "policies/b.budget"]));
    for (const path of ["b.budget", "./b.budget", "../policies/b.budget", "link.budget"]) {
      expect(read("policies/a.budget", path)).toEqual({ file: "policies/b.budget", text: "b" });
    }
  });

  it("lies at or below the folder that the deployment named", () => {
    write("policies/team/a.budget", "a");
    write("policies/org.budget", "o");
    write("secrets/keys.json", "{}");
    write("policies-old/x.budget", "x");
    symlinkSync(join(root, "secrets"), join(root, "policies/team/out"));
    symlinkSync(join(root, "secrets/keys.json"), join(root, "policies/team/keys.json"));
    const { read } = load("policies/team/a.budget");
    const from = "policies/team/a.budget";
    const outside = { why: "it is outside the policy's folder" };
    expect(read(from, "../org.budget")).toEqual(outside);
    expect(read(from, "../../policies-old/x.budget")).toEqual(outside);
    expect(read(from, "../../secrets/keys.json")).toEqual(outside);
    expect(read(from, "../../secrets/none.json")).toEqual(outside);
    expect(read(from, join(root, "secrets/keys.json"))).toEqual(outside);
    for (const path of ["keys.json", "out/keys.json"]) {
      expect(read(from, path)).toEqual({ why: "it is a link to a place outside the policy's folder" });
    }
    write("policies/a.budget", "a");
    expect(load("policies").read("policies/a.budget", "../policies-old/x.budget")).toEqual(outside);
    // Naming the folder above opens it.
    const { read: wider } = load("policies", "policies/team/a.budget");
    expect(wider(from, "../org.budget")).toEqual({ file: "policies/org.budget", text: "o" });
  });

  it("is read where the policy's own folder is a link", () => {
    write("real/a.budget", "a");
    write("real/b.budget", "b");
    symlinkSync(join(root, "real"), join(root, "policies"));
    const { read } = load("policies");
    expect(read("policies/a.budget", "./b.budget")).toEqual({ file: "policies/b.budget", text: "b" });
  });

  it("is refused with a reason where it cannot be used", () => {
    write("policies/a.budget", "a");
    write("policies/latin.json", Buffer.from('{"caf\xe9": 5}', "latin1"));
    write("policies/huge.json", Buffer.alloc(8_000_001, 32));
    mkdirSync(join(root, "policies/folder.json"));
    symlinkSync(join(root, "policies/huge.json"), join(root, "policies/disguised.budget"));
    const { read } = load("policies/a.budget");
    const why = (path: string) => {
      const found = read("policies/a.budget", path);
      return "why" in found ? found.why : null;
    };
    expect(why("gone.json")).toBe("there is no such file");
    expect(why("latin.json")).toBe("it is not UTF-8 text; save it as UTF-8");
    expect(why("huge.json")).toBe("it is larger than 8 MB");
    expect(why("folder.json")).toBe("it is no ordinary file");
    expect(why("disguised.budget")).not.toBeNull();
    expect(read("policies/unknown.budget", "a.budget")).toEqual({ why: "no other file can be read here" });
    // Where it was looked for is known, so that it can be waited for.
    expect(read("policies/a.budget", "gone.json")).toMatchObject({ file: "policies/gone.json" });
  });

  it.skipIf(process.platform === "win32")("is never a pipe, which would not end", () => {
    write("policies/a.budget", "a");
    spawnSync("mkfifo", [join(root, "policies/pipe.json")]);
    expect(load("policies/a.budget").read("policies/a.budget", "pipe.json")).toMatchObject({
      why: "it is no ordinary file",
    });
  });
});
