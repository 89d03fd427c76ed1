// What the flag costs before user code runs: whole processes, bare and guarded in turn.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, median } from "./machine.mjs";

const RUNS = 25;

/** Milliseconds of a process that does nothing, bare and with the guard. */
export async function measurePreload(project) {
  writeFileSync(join(project, "nothing.mjs"), "");
  const run = async (flags) => {
    const start = process.hrtime.bigint();
    const child = launch(0, process.execPath, [...flags, "nothing.mjs"], { cwd: project, stdio: "ignore" });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`a process of the preload benchmark ended with ${code}`);
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  const ways = { bare: [], guarded: ["--require", "budget-guard/register"] };
  const taken = { bare: [], guarded: [] };
  for (let index = 0; index < RUNS + 2; index++) {
    for (const [name, flags] of Object.entries(ways)) {
      const ms = await run(flags);
      // The first two warm the disk cache.
      if (index >= 2) taken[name].push(ms);
    }
  }
  return { bare: median(taken.bare), guarded: median(taken.guarded), runs: RUNS };
}
