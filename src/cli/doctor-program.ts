/**
 * The program itself, started as it always is but for the guard and a probe in every Node process under it, and ended
 * when it has shown enough.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Config } from "../config.ts";
import { withRegister } from "../node-options.ts";
import { moduleFile, preloadFile } from "../paths.ts";
import { type Check, check } from "./doctor-check.ts";
import type { Copy } from "./doctor-clients.ts";
import { manifestOf } from "./doctor-copies.ts";
import type { Start } from "./doctor-examination.ts";
import { loadsGuard } from "./doctor-process.ts";
import { FOLDER, type ProcessReport } from "./doctor-report.ts";
import { CommandError } from "./exit.ts";
import { shellWord } from "./phrases.ts";
import { pinned } from "./pinned.ts";
import type { World } from "./verb.ts";

/** After SIGTERM a program may take so long to end, ms. */
const GRACE = 3_000;

/** What is said of the program, how its main process was started, and which copies of undici it loaded. */
export interface Seen {
  readonly checks: readonly Check[];
  readonly start: Start | null;
  readonly undici: readonly Copy[];
}

/** Runs the command for `seconds` at most; what it prints goes to stderr. */
export async function watchProgram(
  words: readonly string[],
  seconds: number,
  config: Config | null,
  world: World,
): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), "budget-guard-doctor-"));
  try {
    const probe = `--require="${moduleFile("cli/doctor-probe").replace(/[\\"]/g, "\\$&")}"`;
    const env = {
      ...world.env,
      ...(config === null ? {} : pinned(config, config.policy.asked, world.env)),
      [FOLDER]: folder,
      NODE_OPTIONS: `${withRegister(world.env.NODE_OPTIONS, preloadFile)} ${probe}`,
    };
    const end = await run(words, seconds, env, world.cwd);
    return seenIn(reportsIn(folder), words, end, world);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface End {
  /** Null where it was still running. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly cut: boolean;
}

function run(words: readonly string[], seconds: number, env: World["env"], cwd: string): Promise<End> {
  const [command = "", ...args] = words;
  return new Promise((resolve, reject) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", 2, 2] });
    let cut = false;
    const send = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // All of it has ended already.
      }
    };
    let last: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      cut = true;
      send("SIGTERM");
      last = setTimeout(() => send("SIGKILL"), GRACE);
    }, seconds * 1000);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new CommandError(127, `${command} could not be started: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      clearTimeout(last);
      send("SIGKILL");
      resolve({ code, signal, cut });
    });
  });
}

function reportsIn(folder: string): readonly ProcessReport[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const reports = files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as ProcessReport);
  return reports.sort((a, b) => a.pid - b.pid);
}

function seenIn(reports: readonly ProcessReport[], words: readonly string[], end: End, world: World): Seen {
  const command = words.map(shellWord).join(" ");
  const ended = endCheck(command, end);
  if (reports.length === 0) {
    const advice = "It drops NODE_OPTIONS, or no Node runs in it. Start Node itself: `doctor -- node app.js`.";
    const none = check("program", "fail", "processes", "no Node process in it loaded the guard", advice);
    return { checks: [ended, none], start: null, undici: [] };
  }
  const own = reports.filter((report) => !isTool(report));
  const main = own[0] ?? reports[0];
  const undici = [...new Set(own.flatMap((report) => report.undici))].map(
    (path): Copy => ({ path, version: manifestOf(path).version ?? "of unknown version" }),
  );
  const start = main === undefined ? null : { execPath: main.execPath, flags: usable(main.execArgv) };
  return { checks: [ended, loadedBy(main, world), ...reports.map(processCheck)], start, undici };
}

function endCheck(command: string, { code, signal, cut }: End): Check {
  if (cut) return check("program", "ok", "command", `${command}, ended while it was running`);
  if (code === 0) return check("program", "ok", "command", `${command}, ended by itself`);
  return check("program", "warn", "command", `${command}, ended with ${code === null ? signal : `exit code ${code}`}`);
}

/** Whether the program loads the guard without the doctor's help. */
function loadedBy(main: ProcessReport | undefined, { env }: World): Check {
  if (loadsGuard(main?.execArgv.join(" ") ?? ""))
    return check("program", "ok", "preload", "by a flag of its command line");
  if (loadsGuard(env.NODE_OPTIONS ?? "")) return check("program", "ok", "preload", "by NODE_OPTIONS");
  const advice = "Start it with `node --require budget-guard/register ...` or `npx budget-guard run -- ...`.";
  return check("program", "warn", "preload", "by this command only: without it the program has no guard", advice);
}

function processCheck(report: ProcessReport): Check {
  const name = `process ${report.pid}`;
  const script = report.script === null ? "no script" : basename(report.script);
  const what = `${script} on Node ${report.node}`;
  if (report.guard === null) return check("program", "fail", name, `${what}: the guard is not in it`);
  if (report.off) return check("program", "fail", name, `${what}: the guard is off in it`);
  if (!report.hooked) {
    const advice = "Something took the place of EventEmitter.init after the guard: load it before budget-guard.";
    return check("program", "fail", name, `${what}: its hooks do not see new clients any more`, advice);
  }
  const copies = report.undici.map((path) => `undici ${manifestOf(path).version ?? "?"}`);
  const traced = report.tracing ? "; traces" : "";
  const twice = report.api.length > 1 ? `; ${report.api.length} copies of @opentelemetry/api` : "";
  const loaded = copies.length === 0 ? "" : `; loaded ${copies.join(", ")}`;
  return check("program", report.api.length > 1 ? "warn" : "ok", name, `${what}: guarded${loaded}${traced}${twice}`);
}

/** Package managers run the program; they are not it. */
const isTool = ({ script }: ProcessReport): boolean =>
  /[\\/](?:npm|npx|yarn|pnpm|corepack)(?:-cli)?(?:\.c?js)?$/.test(script ?? "");

/** Flags that another script can be started with: none that debug, watch, or hold the script itself. */
function usable(flags: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < flags.length; at += 1) {
    const flag = flags[at] ?? "";
    if (["-e", "-p", "-pe", "--eval", "--print"].includes(flag)) at += 1;
    else if (!/^--(?:inspect|watch|test|cpu-prof|heap-prof|prof|eval|print|debug)/.test(flag)) kept.push(flag);
  }
  return kept;
}
