/**
 * `NODE_OPTIONS` that load the guard, for the Node processes that this one starts.
 * @module
 */

/** Appends `--require REGISTER` once; the path may hold spaces, quotes and backslashes. */
export function withRegister(options: string | undefined, register: string): string {
  const given = options?.trim() ?? "";
  // Inside double quotes Node reads a backslash as an escape (node.cc, ParseNodeOptionsEnvVar).
  const flag = `--require="${register.replace(/[\\"]/g, "\\$&")}"`;
  if (given.includes(flag) || given.includes("budget-guard/register")) return given;
  return given === "" ? flag : `${given} ${flag}`;
}
