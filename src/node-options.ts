/**
 * `NODE_OPTIONS` that load the guard, for the Node processes that this one starts.
 * @module
 */

/** A flag that loads the guard by its name, or by a path that only leads there from this working directory. */
const RELATIVE =
  /(^|\s+)(?:--require|--import|-r)(?:\s+|=)("?)(?:[^\s"/:][^\s":]*\/)?budget-guard\/(?:dist\/)?register(?:\.c?js)?\2(?=\s|$)/g;

/**
 * The options with `--require REGISTER` in them once, by an absolute path: a child may work in another folder, where
 * the name `budget-guard` leads nowhere. The path may hold spaces, quotes and backslashes.
 */
export function withRegister(options: string | undefined, register: string): string {
  // Inside double quotes Node reads a backslash as an escape (node.cc, ParseNodeOptionsEnvVar).
  const flag = `--require="${register.replace(/[\\"]/g, "\\$&")}"`;
  const given = options?.trim() ?? "";
  let named = given.includes(flag);
  const absolute = given.replace(RELATIVE, (_, space: string) => {
    const first = !named;
    named = true;
    return first ? `${space}${flag}` : "";
  });
  if (named) return absolute.trim();
  return given === "" ? flag : `${given} ${flag}`;
}
