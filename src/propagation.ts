/**
 * The guard in the threads and processes that this one starts, at any depth.
 * @module
 */
import { withRegister } from "./node-options.ts";
import { preloadFile } from "./paths.ts";

/** All settings of the guard begin so. */
const SETTING = /^BUDGET_GUARD_[A-Z]/;

/** A URL with a password in it. */
const SECRET = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i;

/** How those who are started with an environment of their own come to the guard. */
export interface Propagation {
  /** Variables that they need besides theirs. `read`: what they have. `certain`: it is surely Node that starts. */
  readonly inherit: (read: (name: string) => string | undefined, certain: boolean) => Readonly<Record<string, string>>;
  /** Arguments that do the same for a thread. */
  readonly execArgv: readonly string[];
  /** Whether those who inherit this process's environment find the guard in it. */
  readonly atHome: () => boolean;
}

/**
 * Sets NODE_OPTIONS for those who inherit `env`. Those who are given another need NODE_OPTIONS and the settings, or they
 * would count on a ledger of their own; a password only where it is surely Node that starts. Who says
 * `BUDGET_GUARD_MODE=off` in the environment that he gives is left alone.
 */
export function propagate(env: NodeJS.ProcessEnv): Propagation {
  env.NODE_OPTIONS = withRegister(env.NODE_OPTIONS, preloadFile);
  return {
    execArgv: ["--require", preloadFile],
    atHome: () => env.NODE_OPTIONS?.includes(preloadFile) === true,
    inherit: (read, certain) => {
      if (read("BUDGET_GUARD_MODE")?.trim() === "off") return {};
      const inherited: Record<string, string> = { NODE_OPTIONS: withRegister(read("NODE_OPTIONS"), preloadFile) };
      for (const [name, value] of Object.entries(env)) {
        if (value === undefined || !SETTING.test(name) || read(name) !== undefined) continue;
        if (certain || !SECRET.test(value)) inherited[name] = value;
      }
      return inherited;
    },
  };
}
