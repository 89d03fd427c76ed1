// Processes on cores of their own, medians, and a Redis for the time of the benchmark.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const onPath = (command) => (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, command)));
/** Two cores: the client has one, servers have the other. */
export const pinned = process.platform === "linux" && availableParallelism() >= 2 && onPath("taskset");

const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OTEL_|BUDGET_GUARD_|NODE_OPTIONS$|OPENAI_|ANTHROPIC_)/.test(name)),
);

/** Starts a command, on a core of the machine where that can be chosen. */
export function launch(core, command, args, { cwd, env = {}, stdio = ["pipe", "pipe", "inherit"] } = {}) {
  const [file, all] = pinned ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
  return spawn(file, all, { cwd, env: { ...clean, ...env }, stdio });
}

/** Lines of its stdout, one at a time. */
export function lines(child) {
  const iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    if (done) throw new Error("a process of the benchmark ended early");
    return value;
  };
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** A Redis that keeps nothing; null where there is no redis-server. */
export async function startRedis() {
  if (!onPath("redis-server")) return null;
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = launch(1, "redis-server", args);
  const next = lines(child);
  while (!(await next()).includes("Ready to accept connections"));
  child.stdout.resume();
  return { url: `redis://127.0.0.1:${port}`, stop: () => child.kill() };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
