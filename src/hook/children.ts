import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import { type Method, Patches, shared } from "./patches.ts";

/**
 * What a process or thread with an environment of its own must find in it besides. `read`: what it has there. `certain`:
 * it is surely Node that reads it.
 */
export type Inheritance = (
  read: (name: string) => string | undefined,
  certain: boolean,
) => Readonly<Record<string, string>>;

/** What threads are started with, and the arguments that make Node load the guard. */
export interface Upbringing {
  readonly inherit: Inheritance;
  readonly execArgv: readonly string[];
  /** Whether a thread whose environment is this process's own finds the guard there. */
  readonly atHome: () => boolean;
}

type Env = Readonly<Record<string, unknown>>;

/**
 * Gives the guard to the processes and threads that are started with an environment of their own; the others have it
 * from this one's. Node itself does the same with NODE_V8_COVERAGE. What the caller says is kept, and the environment
 * that was given is not changed. Once a process, whichever copy of the package.
 */
export function followChildren(upbringing: Upbringing): { dispose(): void } {
  const patches = new Patches();
  if (shared("children", () => patches) !== patches) return { dispose() {} };
  const children: unknown = process.getBuiltinModule?.("node:child_process");
  const threads: unknown = process.getBuiltinModule?.("node:worker_threads");
  if (isObject(children)) followProcesses(children, patches, upbringing.inherit);
  if (isObject(threads)) followThreads(threads, patches, upbringing);
  syncBuiltinESMExports();
  return {
    dispose() {
      patches.restore();
      Reflect.deleteProperty(globalThis, Symbol.for("budget-guard.children"));
      syncBuiltinESMExports();
    },
  };
}

function followProcesses(children: object, patches: Patches, inherit: Inheritance): void {
  // spawn, exec, execFile, fork and cluster all end here, their environment written out.
  const started: unknown = Reflect.get(children, "ChildProcess");
  if (typeof started === "function" && isObject(started.prototype)) {
    patches.apply(started.prototype, "spawn", (original) => {
      return function spawn(this: unknown, options: unknown): unknown {
        if (isObject(options)) attempt(() => raisePairs(options, inherit));
        return original.call(this, options);
      };
    });
  }
  for (const name of ["spawnSync", "execFileSync", "execSync"]) {
    patches.apply(children, name, (original) => {
      return function sync(this: unknown, ...args: unknown[]): unknown {
        return original.apply(this, attempt(() => raiseArguments(args, inherit)) ?? args);
      };
    });
  }
}

function raisePairs(options: object, inherit: Inheritance): void {
  const pairs: unknown = Reflect.get(options, "envPairs");
  if (!isTexts(pairs)) return;
  const find = (name: string): number => pairs.findIndex((pair) => isNamed(pair.slice(0, pair.indexOf("=", 1)), name));
  const read = (name: string): string | undefined => pairs[find(name)]?.slice(name.length + 1);
  const raised = [...pairs];
  for (const [name, value] of Object.entries(inherit(read, isNode(Reflect.get(options, "file"))))) {
    const at = find(name);
    raised.splice(at < 0 ? raised.length : at, at < 0 ? 0 : 1, `${name}=${value}`);
  }
  Reflect.set(options, "envPairs", raised);
}

function raiseArguments(args: readonly unknown[], inherit: Inheritance): unknown[] | null {
  const at = args.findIndex((value, index) => index > 0 && isObject(value) && !Array.isArray(value));
  const options = args[at];
  if (!isObject(options) || !("env" in options) || !isObject(options.env)) return null;
  const env = raisedEnv(options.env, inherit, isNode(args[0]));
  return args.map((value, index) => (index === at ? { ...options, env } : value));
}

function followThreads(threads: object, patches: Patches, { inherit, execArgv, atHome }: Upbringing): void {
  patches.apply(threads, "Worker", (original) => {
    const raise = (options: object): object => {
      const { env, execArgv: given } = options as { readonly env?: unknown; readonly execArgv?: unknown };
      if (isObject(env)) return { ...options, env: raisedEnv(env, inherit, true) };
      // Without arguments of its own a thread has those of this process, as they were read when it began.
      return Array.isArray(given) && !atHome() ? { ...options, execArgv: [...given, ...execArgv] } : options;
    };
    return new Proxy(original, {
      construct(target, [file, options, ...rest], newTarget): object {
        const raised = patches.live && isObject(options) ? (attempt(() => raise(options)) ?? options) : options;
        return Reflect.construct(target, [file, raised, ...rest], newTarget);
      },
    }) as Method;
  });
}

/** A copy with what is to be inherited. Node reads what an environment has from its prototype, too. */
function raisedEnv(env: Env, inherit: Inheritance, certain: boolean): Env {
  const copy: Record<string, unknown> = {};
  for (const name in env) copy[name] = env[name];
  const find = (wanted: string): string | undefined => Object.keys(copy).find((name) => isNamed(name, wanted));
  const read = (name: string): string | undefined => {
    const value = copy[find(name) ?? name];
    return value === undefined ? undefined : String(value);
  };
  for (const [name, value] of Object.entries(inherit(read, certain))) copy[find(name) ?? name] = value;
  return copy;
}

const isNode = (file: unknown): boolean =>
  file === process.execPath || (typeof file === "string" && /^node(js)?(\.exe)?$/i.test(basename(file)));

/** Windows asks for variables without regard to case. */
const isNamed = (name: string, wanted: string): boolean =>
  process.platform === "win32" ? name.toUpperCase() === wanted : name === wanted;

/** What is ours must not fail what the application starts. */
function attempt<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch {
    return null;
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const isObject = (value: unknown): value is Env => typeof value === "object" && value !== null;
