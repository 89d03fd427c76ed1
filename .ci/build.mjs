// Compiles the grammar with Peggy into src/policy/parser.js, and bundles src into dist. With --grammar only the former,
// with --vscode the extension in editors/vscode instead of dist.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { minifySync } from "rolldown/experimental";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const { dependencies, peerDependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));

/** Runs a tool of node_modules with this very Node, so that PATH does not matter. */
function run(tool, ...args) {
  const done = spawnSync(process.execPath, [at("node_modules", tool), ...args], { cwd: root, stdio: "inherit" });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

const generated = at("src", "policy", "parser.js");
const forVscode = process.argv.includes("--vscode");
// The extension is also built by its test, while others read the parser.
if (!forVscode || !existsSync(generated)) {
  run(
    "peggy/bin/peggy.js",
    "--format",
    "es",
    "--allowed-start-rules",
    "Policy,Suite",
    "--output",
    generated,
    at("grammar", "budget.peggy"),
  );
  writeFileSync(
    generated.replace(/\.js$/, ".d.ts"),
    `import type { PeggyParser } from "./ast.ts";\nexport declare const parse: PeggyParser;\nexport declare const SyntaxError: new () => Error;\n`,
  );
}

const named = (names) => Object.keys(names).map((name) => new RegExp(`^${name}(/|$)`));

/** The libraries of the language server: half a megabyte as they come, and under a licence that goes with them. */
const libraries = { name: "language-server-protocol", test: /[\\/]node_modules[\\/]vscode-/ };

/** In ASCII, V8 keeps a text in half the memory, a megabyte less in every guarded process, and is done with it sooner. */
const ascii = {
  name: "ascii",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk" || chunk.name === libraries.name) continue;
      chunk.code = chunk.code.replace(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  },
};

const smaller = {
  name: "smaller",
  renderChunk(code, { name, fileName }) {
    if (name !== libraries.name) return null;
    const licence = readFileSync(at("node_modules", "vscode-languageserver", "License.txt"), "utf8").trim();
    const { code: small, errors } = minifySync(fileName, code, { module: true });
    if (errors.length > 0) throw new Error(String(errors[0]));
    return { code: `/*! vscode-languageserver and its parts.\n${licence} */\n${small}`, map: null };
  },
};

async function bundle({ input, external, output }) {
  const { rolldown } = await import("rolldown");
  const made = await rolldown({
    cwd: root,
    input,
    platform: "node",
    external,
    plugins: [smaller, ascii],
  });
  return await made.write({
    format: "esm",
    chunkFileNames: "chunks/[name].js",
    codeSplitting: { groups: [libraries] },
    ...output,
  });
}

/** The licences of everything that bundles contain, one after the other. */
function licences(bundles) {
  const modules = bundles.flatMap(({ output }) => output.flatMap((chunk) => Object.keys(chunk.modules ?? {})));
  const folders = modules.map((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0]);
  const packages = [...new Set(folders.filter((folder) => folder !== undefined))].sort();
  return packages.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? license : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
}

if (forVscode) {
  const out = at("editors", "vscode", "dist");
  rmSync(out, { recursive: true, force: true });
  // The extension is loaded by require, and `vscode` is given to it by the editor.
  const client = await bundle({
    input: { extension: "editors/vscode/src/extension.ts" },
    external: [/^node:/, "vscode"],
    output: { dir: out, format: "cjs", entryFileNames: "[name].cjs", codeSplitting: false, exports: "named" },
  });
  const server = await bundle({
    input: { server: "src/lsp/main.ts" },
    external: [/^node:/],
    output: { dir: out, entryFileNames: "[name].mjs", chunkFileNames: "chunks/[name].mjs" },
  });
  writeFileSync(join(out, "licences.txt"), licences([client, server]).join(`\n${"-".repeat(80)}\n\n`));
} else if (!process.argv.includes("--grammar")) {
  rmSync(at("dist"), { recursive: true, force: true });
  // Types come from the compiler, one file each; code from the bundler, since every file that is loaded costs the start
  // of every process.
  run("typescript/bin/tsc", "-p", at("src", "tsconfig.json"));
  await bundle({
    input: {
      register: "src/register.ts",
      index: "src/index.ts",
      "cli/main": "src/cli/main.ts",
      "cli/doctor-patient": "src/cli/doctor-patient.ts",
      "cli/doctor-probe": "src/cli/doctor-probe.ts",
      "telemetry/emit": "src/telemetry/emit.ts",
    },
    external: [/^node:/, ...named({ ...dependencies, ...peerDependencies })],
    output: { dir: "dist" },
  });
  cpSync(at("src", "store", "lua"), at("dist", "store", "lua"), { recursive: true });
  cpSync(at("src", "register.cjs"), at("dist", "register.cjs"));
}
