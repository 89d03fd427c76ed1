/**
 * The settings that `run` has checked, written so that a process in another folder finds the very same ones.
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, defaults } from "../config.ts";
import { storePath } from "./ledger.ts";
import type { World } from "./verb.ts";

/** Variables for the command: `npm --prefix sub start` would else count on the ledger, and by the policy, of `sub`. */
export function pinned(config: Config, hasPolicy: boolean, env: World["env"]): Readonly<Record<string, string>> {
  const settings = resolve(config.root, env.BUDGET_GUARD_CONFIG?.trim() || defaults.config);
  const file = storePath(config);
  const { paths } = config.policy;
  return {
    // The variable is a list: a path with a comma in it cannot be named there.
    ...(hasPolicy && !paths.some((path) => path.includes(",")) && { BUDGET_GUARD_POLICY: paths.join(",") }),
    ...(file !== null && { BUDGET_GUARD_STORE: `file:${file}` }),
    ...(existsSync(settings) && { BUDGET_GUARD_CONFIG: settings }),
  };
}
