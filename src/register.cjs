// What `--require budget-guard/register` loads. Plain old syntax: it must parse anywhere.
"use strict";

if (!process.features.require_module) {
  // A process that asked for a guard must not run without one.
  process.stderr.write(
    "budget-guard: this is Node " +
      process.versions.node +
      ", and budget-guard needs Node 20.19, or 22.12 or newer (and require(esm), which " +
      "--no-experimental-require-module takes away).\n",
  );
  process.exit(78);
} else if (!require("node:worker_threads").isInternalThread) {
  // Node preloads into the thread that runs the hooks of module.register (Sentry, OpenTelemetry, tsx), too. There an ES
  // module that is required leaves no hooks on Node 22, and the process ends; and nobody there calls a provider.
  require("./register.js");
}
