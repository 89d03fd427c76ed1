/**
 * A policy as it was in another revision of its git repository: read with git itself, without touching the working tree.
 * @module
 */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import type { Config } from "../config.ts";
import { isVisible, type Source } from "../files.ts";
import { type CompileOptions, compile } from "../policy/compile.ts";
import type { Plan } from "../policy/plan.ts";
import { CommandError, exit, usageError } from "./exit.ts";
import { show } from "./show.ts";
import type { Terminal } from "./terminal.ts";

type Where = Pick<Config, "root" | "policy">;

/** The plan of the policy's paths in a revision; a usage error where there is no such revision or policy. */
export function planAt(revision: string, where: Where, { err }: Terminal): Plan {
  const top = topOf(where.root);
  const commit = commitOf(top, revision);
  const root = slashed(relative(top, realpathSync(where.root)));
  const tree = new Tree(top, commit, root);
  const named = where.policy.paths.flatMap((path) => tree.policies(inRepository(root, where.root, path)));
  if (named.length === 0) throw usageError(`${revision} holds no policy where the policy is today.`, "backtest");
  const { plan, diagnostics, sources } = compile(named, { read: tree.read });
  if (plan !== null) return plan;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  err.line(show(errors, sources, err.paint));
  throw new CommandError(exit.config, `\nThe policy of ${revision} has errors.`);
}

type ReadFile = NonNullable<CompileOptions["read"]>;

/** The files of one commit below the policy's folders. */
class Tree {
  readonly #top: string;
  readonly #commit: string;
  readonly #root: string;
  readonly #folders = new Set<string>();
  /** Object names by path from the top. */
  readonly #files = new Map<string, string>();

  constructor(top: string, commit: string, root: string) {
    this.#top = top;
    this.#commit = commit;
    this.#root = root;
  }

  /** The policy files at a path from the top: itself, or those of a folder, one level deep. */
  policies(path: string): readonly Source[] {
    const isFile = this.#list(path).includes(path);
    const folder = isFile ? posix.dirname(path) : path;
    this.#folders.add(folder);
    if (isFile) this.#list(folder);
    const files = isFile
      ? [path]
      : [...this.#files.keys()]
          .filter((file) => posix.dirname(file) === folder && isPolicy(posix.basename(file)))
          .sort();
    return files.map((file) => ({ file: this.#shown(file), text: this.#text(file) }));
  }

  /** Reads what a policy names, at or below the policy's folders. */
  readonly read: ReadFile = (from, path) => {
    const wanted = posix.normalize(posix.join(posix.dirname(posix.join(this.#root, from)), path));
    const isInside = [...this.#folders].some((folder) => folder === "." || wanted.startsWith(`${folder}/`));
    if (posix.isAbsolute(path) || !isInside) return { why: "it is outside the policy's folder" };
    if (!this.#files.has(wanted)) return { why: "there is no such file in that revision", file: this.#shown(wanted) };
    return { file: this.#shown(wanted), text: this.#text(wanted) };
  };

  /** Plain files only: a link may lead out of the repository. */
  #list(path: string): readonly string[] {
    const listed = git(
      this.#top,
      ["ls-tree", "-r", "-z", "--full-tree", this.#commit, "--", path === "." ? "" : path].filter(
        (word) => word !== "",
      ),
    );
    const found: string[] = [];
    for (const entry of listed.split("\0")) {
      const [, mode, name, file] = /^(\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
      if (mode === undefined || name === undefined || file === undefined || !mode.startsWith("100")) continue;
      this.#files.set(file, name);
      found.push(file);
    }
    return found;
  }

  #text(file: string): string {
    return git(this.#top, ["cat-file", "blob", this.#files.get(file) ?? ""]).replace(/^\uFEFF/, "");
  }

  #shown(file: string): string {
    return posix.relative(this.#root, file);
  }
}

const isPolicy = (name: string): boolean =>
  isVisible(name) && name.endsWith(".budget") && !name.endsWith(".test.budget");

function topOf(root: string): string {
  try {
    return realpathSync(git(root, ["rev-parse", "--show-toplevel"]).trim());
  } catch {
    throw usageError(
      `${root} is in no git repository, so that no other revision of the policy can be read.`,
      "backtest",
    );
  }
}

function commitOf(top: string, revision: string): string {
  try {
    return git(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]).trim();
  } catch {
    throw usageError(`${revision} is neither a file or folder nor a revision of this repository.`, "backtest");
  }
}

function inRepository(root: string, folder: string, path: string): string {
  const found = posix.normalize(posix.join(root, slashed(relative(folder, path))));
  if (found !== ".." && !found.startsWith("../")) return found.replace(/\/$/, "");
  throw usageError(`${path} is outside the repository, so that it has no other revisions.`, "backtest");
}

const slashed = (path: string): string => join(path, ".").split(sep).join("/");

/** Output of git; no shell is involved. Fails as git does. */
const git = (folder: string, args: readonly string[]): string =>
  execFileSync("git", ["-C", folder, ...args], {
    encoding: "utf8",
    maxBuffer: 64_000_000,
    stdio: ["ignore", "pipe", "ignore"],
  });
