// What `--require budget-guard/register` loads on a Node that cannot require an ES module. Plain old syntax: it must
// parse anywhere. A process that asked for a guard must not run without one.
"use strict";

process.stderr.write(
  "budget-guard: this is Node " +
    process.versions.node +
    ", and budget-guard needs Node 20.19, or 22.12 or newer (and require(esm), which " +
    "--no-experimental-require-module takes away).\n",
);
process.exit(78);
