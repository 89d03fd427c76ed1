import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { codeFile } from "../paths.ts";

/** A Lua script and the name under which Redis caches it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export type Scripts = Readonly<Record<"judge" | "settle" | "extend" | "read" | "close" | "gates" | "foresee", Script>>;

/** Reads the scripts in `lua/`, their includes put in. */
export function loadScripts(): Scripts {
  const load = (name: string): Script => {
    const source = read(`${name}.lua`).replace(/^--- @include "(.+)"$/gm, (_, path: string) => read(path));
    return Object.freeze({ source, sha: createHash("sha1").update(source).digest("hex") });
  };
  return {
    judge: load("judge"),
    settle: load("settle"),
    extend: load("extend"),
    read: load("read"),
    close: load("close"),
    gates: load("gates"),
    foresee: load("foresee"),
  };
}

const read = (path: string): string => readFileSync(codeFile(`store/lua/${path}`), "utf8");
