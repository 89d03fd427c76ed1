import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withRegister } from "../src/node-options.ts";

it("appends the preload once and keeps what is there", () => {
  const once = withRegister("--max-old-space-size=64", "/opt/guard/register.js");
  expect(once).toBe('--max-old-space-size=64 --require="/opt/guard/register.js"');
  expect(withRegister(once, "/opt/guard/register.js")).toBe(once);
});

it("puts the absolute path where a name or a relative path stood, which children elsewhere could not follow", () => {
  const flag = '--require="/opt/guard/register.js"';
  for (const given of [
    "--require budget-guard/register",
    "--require=budget-guard/register",
    "-r budget-guard/register",
    "--import budget-guard/register",
    '--import="budget-guard/register"',
    "--require ./node_modules/budget-guard/dist/register.js",
    "--require ../budget-guard/dist/register.js",
    "--require ../budget-guard/dist/register.cjs",
    `--require budget-guard/register ${flag}`,
    `${flag} --import budget-guard/register`,
    "-r budget-guard/register --import budget-guard/register",
  ]) {
    expect(withRegister(given, "/opt/guard/register.js")).toBe(flag);
  }
  expect(withRegister('--require "./a  b.cjs" -r budget-guard/register --inspect', "/opt/guard/register.js")).toBe(
    `--require "./a  b.cjs" ${flag} --inspect`,
  );
  const others = "--require /other/budget-guard/dist/register.js --require my-budget-guard/registers";
  expect(withRegister(others, "/opt/guard/register.js")).toBe(`${others} ${flag}`);
});

it("works from folders with spaces, quotes and backslashes in their names", () => {
  const folder = mkdtempSync(join(tmpdir(), `a "b" c\\d-`));
  const preload = join(folder, "preload.cjs");
  writeFileSync(preload, "console.log('loaded')");
  const env = { ...process.env, NODE_OPTIONS: withRegister(undefined, preload) };
  const done = spawnSync(process.execPath, ["-e", "0"], { env, encoding: "utf8" });
  rmSync(folder, { recursive: true, force: true });
  expect(done.stderr).toBe("");
  expect(done.stdout).toBe("loaded\n");
});
