/**
 * The Node that runs here, how the guard gets into it, and the variables that speak to it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unknownVariables, variables } from "../config.ts";
import { packageRoot, preloadFile } from "../paths.ts";
import { closest } from "../policy/suggest.ts";
import { type Check, check } from "./doctor-check.ts";
import type { World } from "./verb.ts";

/** Whether options of Node load the guard: by its name, or by the path of this very copy. */
export const loadsGuard = (options: string): boolean => LOADS.test(options) || options.includes(preloadFile);

const LOADS = /(?:--require|--import|-r)(?:=|\s+)"?[^\s"]*budget-guard\/(?:dist\/|src\/)?register/;

/**
 * What can be said without starting anything. `root`: the folder of the application's package.json; null where a program
 * is looked into, which shows by itself who loads the guard.
 */
export function processChecks(root: string | null, env: World["env"]): readonly Check[] {
  const preload = root === null ? [] : [preloadCheck(root, env)];
  return [nodeCheck(process.versions.node), ...preload, optionsCheck(env), ...misspelt(env)];
}

/** Whether the guard can be loaded by this Node, and what it has to do without there. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const engine = enginesOf();
  if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)) {
    return check("process", "fail", "Node", `${version}; budget-guard needs ${engine}`, "Install a newer Node.");
  }
  if (Reflect.get(process.features, "require_module") !== true) {
    const advice = "Take --no-experimental-require-module away.";
    return check("process", "fail", "Node", `${version} without require(esm), by which the guard is loaded`, advice);
  }
  if (major % 2 === 1) return check("process", "warn", "Node", `${version}, which is no longer maintained (${engine})`);
  return check(
    "process",
    "ok",
    "Node",
    `${version} (${engine}), undici ${process.versions.undici ?? "unknown"} built in`,
  );
}

function enginesOf(): string {
  const parsed = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { engines?: { node?: string } };
  return `needs ${parsed.engines?.node ?? "20.19 or newer"}`.replace("needs needs", "needs");
}

/** Who starts the application with the guard: this environment, or a script of its package.json. */
function preloadCheck(root: string, env: World["env"]): Check {
  if (loadsGuard(env.NODE_OPTIONS ?? "")) return check("process", "ok", "preload", "by NODE_OPTIONS");
  const scripts = scriptsOf(root).filter(([, text]) => loadsGuard(text) || /budget-guard (?:run|doctor)\b/.test(text));
  if (scripts.length > 0) {
    return check(
      "process",
      "ok",
      "preload",
      `by package.json: ${scripts.map(([name]) => `npm run ${name}`).join(", ")}`,
    );
  }
  return check(
    "process",
    "warn",
    "preload",
    "neither NODE_OPTIONS nor a script of package.json loads the guard",
    "Start with `node --require budget-guard/register app.js` or `npx budget-guard run -- COMMAND`.\n" +
      "`npx budget-guard doctor -- COMMAND` looks into the program as you start it.",
  );
}

function scriptsOf(root: string): readonly (readonly [name: string, text: string])[] {
  try {
    const parsed = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts?: Record<string, unknown>;
    };
    return Object.entries(parsed.scripts ?? {}).map(([name, text]) => [name, String(text)]);
  } catch {
    return [];
  }
}

function optionsCheck(env: World["env"]): Check {
  const options = env.NODE_OPTIONS?.trim() ?? "";
  const [first = ""] = [...options.matchAll(/(?:--require|--import|-r)(?:=|\s+)("[^"]*"|\S+)/g)].map(
    ([, name]) => name,
  );
  if (first !== "" && loadsGuard(options) && !loadsGuard(`--require ${first}`)) {
    const advice = "Put budget-guard first: what is loaded before it may keep node's own clients for itself.";
    return check("process", "warn", "NODE_OPTIONS", `${options} loads ${first} before the guard`, advice);
  }
  return check("process", "ok", "NODE_OPTIONS", options === "" ? "not set" : options);
}

function misspelt(env: World["env"]): readonly Check[] {
  const unknown = unknownVariables(env);
  if (unknown.length === 0) {
    const set = variables.filter((name) => (env[name]?.trim() ?? "") !== "");
    return [check("process", "ok", "variables", set.length === 0 ? "none of ours is set" : set.join(", "))];
  }
  return unknown.map((name) => {
    const meant = closest(name, variables);
    const advice = meant === null ? "Take it away." : `Did you mean ${meant}?`;
    return check("process", "warn", "variables", `nobody reads ${name}`, advice);
  });
}
