/**
 * The guard in the threads and processes that this one starts, at any depth.
 * @module
 */
import { followChildren } from "./hook/children.ts";
import { withRegister } from "./node-options.ts";
import { moduleFile } from "./paths.ts";

/** All settings of the guard begin so. */
const SETTING = /^BUDGET_GUARD_[A-Z]/;

/** A URL with a password in it. */
const SECRET = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i;

/**
 * Sets NODE_OPTIONS for those who inherit `env`, and follows those who are given another. These get NODE_OPTIONS and the
 * settings, or they would count on a ledger of their own; a password only where it is surely Node that starts. Who says
 * `BUDGET_GUARD_MODE=off` in the environment that he gives is left alone.
 */
export function propagate(env: NodeJS.ProcessEnv): void {
  const register = moduleFile("register");
  env.NODE_OPTIONS = withRegister(env.NODE_OPTIONS, register);
  followChildren({
    execArgv: ["--require", register],
    atHome: () => env.NODE_OPTIONS?.includes(register) === true,
    inherit: (read, certain) => {
      if (read("BUDGET_GUARD_MODE")?.trim() === "off") return {};
      const inherited: Record<string, string> = { NODE_OPTIONS: withRegister(read("NODE_OPTIONS"), register) };
      for (const [name, value] of Object.entries(env)) {
        if (value === undefined || !SETTING.test(name) || read(name) !== undefined) continue;
        if (certain || !SECRET.test(value)) inherited[name] = value;
      }
      return inherited;
    },
  });
}
