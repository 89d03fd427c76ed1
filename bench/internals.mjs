// The package is one bundle that shows only its public face; the benchmark wants to measure parts of it alone.
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

/** Bundles the parts into one module under node_modules/.cache, where their dependencies resolve; returns its path. */
export async function bundleInternals(root) {
  const folder = join(root, "node_modules", ".cache", "budget-guard", "bench");
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  const entry = join(folder, "src", "internals.ts");
  writeFileSync(
    entry,
    `export { identify } from "./call/identity.ts";
export { loadPrices } from "./call/price.ts";
export { readCall } from "./call/read.ts";
export { recogniser } from "./call/recognise.ts";
export { compile } from "./policy/compile.ts";
export { evaluate } from "./policy/evaluate.ts";
export { indexRules } from "./policy/match.ts";
export { askFor } from "./request.ts";
export { openMemory } from "./store/memory.ts";
export { openStore } from "./store/open.ts";
`,
  );
  const bundle = await rolldown({
    cwd: folder,
    input: entry,
    platform: "node",
    external: /^(node:|ioredis|@pydantic)/,
  });
  const file = join(folder, "dist", "internals.js");
  await bundle.write({ file, format: "esm", codeSplitting: false });
  return file;
}
