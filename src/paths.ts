/**
 * Where this package's own files lie: the same answers from the sources and from the bundle.
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);
/** `.ts` where the sources run as they are (tests), `.js` in the built package. */
const ending = here.slice(-3);

/** The folder of package.json. A file of ours may be bundled into a folder of another depth than its source. */
export const packageRoot: string = (() => {
  let folder = dirname(here);
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
})();

/** A file beside the code, such as `store/lua/judge.lua`. */
export const codeFile = (path: string): string => join(packageRoot, ending === ".ts" ? "src" : "dist", path);

/** What `--require` is told to load, wherever the guard is handed on. */
export const preloadFile: string = codeFile("register.cjs");

/** A module that is started by its path, such as `telemetry/emit`. */
export const moduleFile = (name: string): string => codeFile(`${name}${ending}`);
