import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./command.ts";

const untidy = "tenant.hourly>$50->deny   # all\n";
const tidy = "tenant.hourly > $50 -> deny # all\n";
const broken = "tenant.hourly > $50\n";

const main = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

/** The real command, since only a process has a standard input. */
const piped = (input: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "fmt", "--stdin", ...args], {
    input,
    encoding: "utf8",
    env: { NO_COLOR: "1" },
  });
  return { code: status, out: stdout, err: stderr };
};

describe("fmt", () => {
  it("rewrites the policy and its tests, says which files it changed, and has nothing to do a second time", async () => {
    const project = folder(untidy);
    project.write("policies/done.budget", tidy);
    project.write("policies/a.test.budget", 'test "x" call tenant="acme",cost=$51 expect deny\n');
    const text = (file: string) => readFileSync(join(project.path, "policies", file), "utf8");
    expect(await project.run(["fmt"])).toEqual({
      code: 0,
      out: "policies/a.test.budget\npolicies/test.budget",
      err: "3 files: 2 formatted, 1 already in canonical form.",
    });
    expect(text("test.budget")).toBe(tidy);
    expect(text("a.test.budget")).toBe('test "x"\n  call tenant = "acme", cost = $51\n  expect deny\n');
    expect(await project.run(["fmt"])).toEqual({ code: 0, out: "", err: "3 files: 3 in canonical form." });
    expect(readdirSync(join(project.path, "policies"))).toEqual(["a.test.budget", "done.budget", "test.budget"]);
  });

  it("changes nothing with --check, and ends with 1 where it would", async () => {
    const project = folder(untidy);
    expect(await project.run(["fmt", "--check"])).toEqual({
      code: 1,
      out: "policies/test.budget",
      err: "1 file: 1 not in canonical form. Run `npx budget-guard fmt`.",
    });
    expect(readFileSync(join(project.path, "policies/test.budget"), "utf8")).toBe(untidy);
    project.write("policies/test.budget", tidy);
    expect((await project.run(["fmt", "--check"])).code).toBe(0);
  });

  it("leaves a file with errors alone, shows them, and formats the others", async () => {
    const project = folder(broken);
    project.write("policies/other.budget", untidy);
    const { code, out, err } = await project.run(["fmt"]);
    expect({ code, out }).toEqual({ code: 1, out: "policies/other.budget" });
    expect(err).toContain("error[syntax]: this rule has no `->`");
    expect(err).toContain(" --> policies/test.budget:1:20");
    expect(err).toContain("2 files: 1 formatted, 1 left alone, with errors.");
    expect(readFileSync(join(project.path, "policies/test.budget"), "utf8")).toBe(broken);
  });

  it("formats the files and folders named, from the folder it is called in", async () => {
    const project = folder(untidy);
    project.write("next/one.budget", untidy);
    project.write("next/deep/two.budget", untidy);
    expect(await project.run(["fmt", "one.budget", "deep"], { below: "next" })).toMatchObject({
      code: 0,
      out: "one.budget\ndeep/two.budget",
    });
    expect(readFileSync(join(project.path, "policies/test.budget"), "utf8")).toBe(untidy);
    expect((await project.run(["fmt", "gone.budget"])).code).toBe(2);
  });

  it("removes a byte order mark and Windows line ends", async () => {
    const project = folder(`\uFEFF${tidy.replace("\n", "\r\n")}`);
    expect((await project.run(["fmt"])).out).toBe("policies/test.budget");
    expect(readFileSync(join(project.path, "policies/test.budget"), "utf8")).toBe(tidy);
  });

  it("puts the new file in the place of the old one, with its mode, and through a link", async () => {
    const project = folder();
    project.write("shared.txt", untidy);
    project.write("policies/.keep", "");
    const target = join(project.path, "shared.txt");
    const link = join(project.path, "policies/linked.budget");
    chmodSync(target, 0o640);
    symlinkSync(target, link);
    const before = statSync(target).ino;
    expect((await project.run(["fmt"])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe(tidy);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(statSync(target).ino).not.toBe(before);
  });

  it("does not touch a file that is in canonical form", async () => {
    const project = folder(tidy);
    const file = join(project.path, "policies/test.budget");
    const before = statSync(file);
    await project.run(["fmt"]);
    expect([statSync(file).ino, statSync(file).mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it("refuses what is no text, and says so", async () => {
    const project = folder(tidy);
    project.write("policies/image.budget", "");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(project.path, "policies/image.budget"), Buffer.from([0xff, 0xfe, 0x00]));
    const { code, err } = await project.run(["fmt"]);
    expect(code).toBe(78);
    expect(err).toContain("image.budget is not UTF-8 text");
  });

  it("ends with 1 where there is no policy, and says how to write one", async () => {
    const { code, err } = await folder().run(["fmt"]);
    expect(code).toBe(1);
    expect(err).toContain("npx budget-guard init");
  });
});

describe("fmt --stdin", () => {
  it("formats standard input to standard output", () => {
    expect(piped(untidy)).toEqual({ code: 0, out: tidy, err: "" });
    expect(piped(" \n\n")).toEqual({ code: 0, out: "", err: "" });
  });

  it("takes the name of a file for whether it is a test suite", () => {
    expect(piped('test "x" call tenant="a" expect allow', "policies/x.test.budget").out).toBe(
      'test "x"\n  call tenant = "a"\n  expect allow\n',
    );
  });

  it("writes nothing but errors where there are some", () => {
    const { code, out, err } = piped(broken);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(" --> (standard input):1:20");
  });

  it("only judges with --check", () => {
    expect(piped(tidy, "--check")).toEqual({ code: 0, out: "", err: "" });
    expect(piped(untidy, "--check")).toMatchObject({
      code: 1,
      out: "",
      err: "(standard input) is not in canonical form.\n",
    });
  });
});
