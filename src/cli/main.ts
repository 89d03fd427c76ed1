#!/usr/bin/env node
/**
 * The `budget-guard` command.
 * @module
 */
import { now } from "../clock.ts";
import { dispatch } from "./dispatch.ts";
import { createTerminal } from "./terminal.ts";

const terminal = createTerminal(process.env, process.stdout, process.stderr);

dispatch(process.argv.slice(2), { env: process.env, cwd: process.cwd(), clock: now, terminal }).then((code) => {
  // Not process.exit at once: a pipe may still be taking the output. Nor never: a lost connection may keep retrying.
  process.exitCode = code;
  setTimeout(() => process.exit(), 1_000).unref();
});
