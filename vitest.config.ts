import { defineConfig } from "vitest/config";

/** The guard must run in hardened processes: here, and in every process that a test starts. */
const hardened = "--disallow-code-generation-from-strings";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/set-up.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    execArgv: [hardened],
    env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} ${hardened}`.trim() },
    fileParallelism: true,
    maxWorkers: 2,
  },
});
