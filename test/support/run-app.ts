/**
 * Real processes as a user starts them: a project folder of its own whose node_modules link to this repository.
 * In: files and settings of a project. Out: what its processes printed and how they ended.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

type Env = Readonly<Record<string, string>>;

export interface ProjectWishes {
  /** Text of `policies/test.budget`. */
  readonly policy?: string;
  /** Content of `budget-guard.json`. */
  readonly config?: unknown;
  /** Path in the project → text. `app.mjs` is what runs unless a run names another. */
  readonly files?: Readonly<Record<string, string>>;
  /** Variables of every run. */
  readonly env?: Env;
  /** Names in node_modules that the project has not installed. */
  readonly without?: readonly string[];
  /** Name in its node_modules → the folder that it leads to, where that is not this repository's. */
  readonly modules?: Readonly<Record<string, string>>;
  /** The folder that it lies in, whose packages it finds: then only budget-guard is linked. */
  readonly under?: string;
}

export interface RunWishes {
  /** Arguments of node before the script; the preload unless given. */
  readonly flags?: readonly string[];
  readonly script?: string;
  readonly args?: readonly string[];
  readonly env?: Env;
  /** Another node binary. */
  readonly node?: string;
}

/** How a process ended, and all it printed. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout as JSON; a process that printed none fails the test with all it said. */
  json<T>(): T;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it has printed so far. */
  stdout(): string;
  /** Resolves when stdout holds the text; rejects when the process ends without it. */
  printed(text: string): Promise<void>;
  /** Writes a line to its stdin. */
  tell(line: string): void;
}

export interface Project {
  readonly folder: string;
  write(path: string, text: string): void;
  read(path: string): string;
  start(wishes?: RunWishes): Running;
  run(wishes?: RunWishes): Promise<Finished>;
  /** `budget-guard ARGS` as installed in the project. */
  cli(...args: readonly string[]): Promise<Finished>;
  remove(): void;
}

export const preload = ["--require", "budget-guard/register"] as const;

/** Creates a project in a temporary folder. */
export function project(wishes: ProjectWishes = {}): Project {
  const folder = mkdtempSync(join(wishes.under ?? tmpdir(), "budget-guard-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("package.json", '{ "name": "an-app", "private": true }\n');
  if (wishes.policy !== undefined) write("policies/test.budget", wishes.policy);
  if (wishes.config !== undefined) write("budget-guard.json", JSON.stringify(wishes.config));
  for (const [path, text] of Object.entries(wishes.files ?? {})) write(path, text);
  linkModules(folder, wishes);

  const start = ({ flags = preload, script = "app.mjs", args = [], env = {}, node }: RunWishes = {}): Running =>
    launch(node ?? process.execPath, [...flags, script, ...args], folder, { ...wishes.env, ...env });
  return {
    folder,
    write,
    read: (path) => readFileSync(join(folder, path), "utf8"),
    start,
    run: (run) => start(run).finished,
    cli: (...args) =>
      launch(process.execPath, [join("node_modules", "budget-guard", "dist", "cli", "main.js"), ...args], folder, {
        ...wishes.env,
      }).finished,
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** As `npm install` would leave it: budget-guard and its neighbours side by side. */
function linkModules(folder: string, { without = [], modules = {}, under }: ProjectWishes): void {
  const target = join(folder, "node_modules");
  mkdirSync(target);
  const names = under === undefined ? readdirSync(join(repository, "node_modules")) : [];
  const links = {
    ...Object.fromEntries(names.map((name) => [name, join(repository, "node_modules", name)])),
    ...modules,
  };
  symlinkSync(repository, join(target, "budget-guard"));
  for (const [name, leadsTo] of Object.entries(links)) {
    if (!name.startsWith(".") && !without.includes(name)) symlinkSync(leadsTo, join(target, name));
  }
}

/** This machine's variables without any that would change what a test sees. */
function cleanEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    if (/^(OTEL_|BUDGET_GUARD_|NODE_|VITEST|OPENAI_|ANTHROPIC_|AZURE_|GOOGLE_|(HTTPS?|NO|ALL)_PROXY$)/i.test(name))
      continue;
    env[name] = value;
  }
  return env;
}

function launch(command: string, args: readonly string[], cwd: string, env: Env): Running {
  const child = spawn(command, args, {
    cwd,
    env: { ...cleanEnvironment(), NO_COLOR: "1", NODE_NO_WARNINGS: "0", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A process that ended before it read its stdin is judged by its exit code.
  child.stdin.on("error", () => {});
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({ code, signal, stdout, stderr, json: () => parsed(stdout, stderr) }),
    );
  });
  return {
    process: child,
    finished,
    stdout: () => stdout,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!stdout.includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        void finished.then((end) =>
          reject(
            new Error(`ended with ${end.code ?? end.signal} before it printed "${text}":\n${end.stdout}${end.stderr}`),
          ),
        );
      }),
    tell: (line) => void child.stdin.write(`${line}\n`),
  };
}

function parsed<T>(stdout: string, stderr: string): T {
  try {
    return JSON.parse(lastValue(stdout)) as T;
  } catch {
    throw new Error(`no JSON on stdout.\n--- stdout\n${stdout}\n--- stderr\n${stderr}`);
  }
}

/** The whole where it is one value, else the last line. */
function lastValue(stdout: string): string {
  const text = stdout.trimEnd();
  return /^[[{]/.test(text) ? text : text.slice(text.lastIndexOf("\n") + 1);
}
