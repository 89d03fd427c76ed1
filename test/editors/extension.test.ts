import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { serverCommand } from "../../editors/vscode/src/server-command.ts";

const root = join(import.meta.dirname, "..", "..");
const extension = join(root, "editors", "vscode");

beforeAll(() => {
  execFileSync(process.execPath, [join(root, ".ci", "build.mjs"), "--vscode"], { cwd: root });
});

/** A workspace with one policy that has one error, and these files. */
function aWorkspace(files: Readonly<Record<string, string>> = {}): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "budget-guard-vscode-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  for (const [file, text] of Object.entries({ "policies/a.budget": "tenant.horuly > $5 -> deny\n", ...files })) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

interface Event {
  readonly kind: string;
  readonly name?: string;
  readonly found?: readonly { readonly message: string }[];
}

/** Loads the bundle into a fake editor, until it shows diagnostics; then lets it end. */
async function edited(workspace: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH = "" } = process.env;
  const fake = join(import.meta.dirname, "fake-vscode.cjs");
  const child = spawn(process.execPath, [fake, join(extension, "dist", "extension.cjs")], {
    env: { PATH, WORKSPACE: workspace, ...env },
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const events: Event[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Event;
    events.push(event);
    if (event.kind === "diagnostics" || event.kind === "failed") child.stdin.end("end\n");
    if (event.kind === "ended") break;
  }
  return { events, stderr };
}

const messages = ({ events }: { readonly events: readonly Event[] }): readonly string[] =>
  events.flatMap(({ found }) => found ?? []).map(({ message }) => message);

/** A budget-guard that leaves a mark in the workspace, and is else the built one. */
const marked = (workspace: string): string => `
  require("node:fs").writeFileSync(${JSON.stringify(join(workspace, "used"))}, process.argv.slice(2).join(" "));
  import(${JSON.stringify(pathToFileURL(join(root, "dist", "cli", "main.js")).href)});
`;

describe("the extension", () => {
  it("starts the server that it brings, shows its diagnostics, registers its features, and ends", async () => {
    const ran = await edited(aWorkspace());
    expect(messages(ran)).toEqual(["unknown metric or window `horuly`\nhelp: did you mean `hourly`?"]);
    const names = ran.events.map(({ kind, name }) => name ?? kind);
    expect(names).toEqual(
      expect.arrayContaining([
        "budget-guard.restart",
        "registerHoverProvider",
        "registerCompletionItemProvider",
        "registerDefinitionProvider",
        "registerDocumentSymbolProvider",
        "registerDocumentFormattingEditProvider",
        "registerCodeActionsProvider",
        "active",
      ]),
    );
    expect(names.at(-1)).toBe("ended");
    expect(names.filter((name) => /^show/.test(name))).toEqual([]);
    expect(ran.stderr).toBe("");
  });

  const installed = "node_modules/budget-guard/dist";

  it("starts the workspace's own where one is installed", async () => {
    const workspace = aWorkspace({ [`${installed}/chunks/language-server-protocol.js`]: "" });
    mkdirSync(join(workspace, installed, "cli"));
    writeFileSync(join(workspace, installed, "cli", "main.js"), marked(workspace));
    expect(messages(await edited(workspace))).toHaveLength(1);
    expect(readFileSync(join(workspace, "used"), "utf8")).toMatch(/^lsp --stdio/);
  });

  it("runs nothing of a workspace that is not trusted", async () => {
    const workspace = aWorkspace({ [`${installed}/chunks/language-server-protocol.js`]: "" });
    mkdirSync(join(workspace, installed, "cli"));
    writeFileSync(join(workspace, installed, "cli", "main.js"), marked(workspace));
    expect(messages(await edited(workspace, { TRUSTED: "no", SETTING: "./other.cjs" }))).toHaveLength(1);
    expect(existsSync(join(workspace, "used"))).toBe(false);
  });

  it("starts what the setting names", async () => {
    const workspace = aWorkspace();
    writeFileSync(join(workspace, "other.cjs"), marked(workspace));
    expect(messages(await edited(workspace, { SETTING: "./other.cjs" }))).toHaveLength(1);
    expect(existsSync(join(workspace, "used"))).toBe(true);
  });
});

describe("an extension whose server does not start", () => {
  it("ends all the same", async () => {
    const { events, stderr } = await edited(aWorkspace({ "bad.cjs": "process.exit(1);" }), { SETTING: "./bad.cjs" });
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["showErrorMessage", "failed", "ended"]));
    expect(stderr).toBe("");
  });
});

describe("the choice of a server", () => {
  const wishes = { path: "", folders: ["/srv/app"], trusted: true, extension: "/ext" };

  it("takes the setting first, from the folder that it is relative to", () => {
    expect(serverCommand({ ...wishes, path: "bin/budget-guard" })).toEqual({
      kind: "program",
      path: join("/srv/app", "bin/budget-guard"),
      args: ["lsp"],
    });
    expect(serverCommand({ ...wishes, path: "/opt/bg/main.js" })).toMatchObject({
      kind: "script",
      path: "/opt/bg/main.js",
    });
    expect(serverCommand({ ...wishes, path: "budget-guard" }).path).toBe("budget-guard");
    expect(serverCommand({ ...wishes, path: "$" + "{workspaceFolder}/x.mjs" }).path).toBe("/srv/app/x.mjs");
  });

  it("takes the bundled one where nothing is set, installed or trusted", () => {
    const bundled = { kind: "script", path: join("/ext", "dist", "server.mjs"), args: [] };
    expect(serverCommand(wishes)).toEqual(bundled);
    expect(serverCommand({ ...wishes, folders: [] })).toEqual(bundled);
    expect(serverCommand({ ...wishes, trusted: false, path: "bin/budget-guard" })).toEqual(bundled);
  });
});

describe("the manifest", () => {
  const read = (file: string) => JSON.parse(readFileSync(join(extension, file), "utf8"));
  const manifest = read("package.json");

  it("names only files that are there", () => {
    const { languages, grammars } = manifest.contributes;
    const named = [manifest.main, languages[0].configuration, grammars[0].path, "dist/server.mjs", "README.md"];
    expect(named.filter((file) => !existsSync(join(extension, file)))).toEqual([]);
  });

  it("agrees with itself, the grammar, and the package", () => {
    const { languages, grammars, configuration, commands } = manifest.contributes;
    expect(languages[0]).toMatchObject({ id: "budget", extensions: [".budget"] });
    expect(grammars[0]).toMatchObject({ language: "budget", scopeName: read(grammars[0].path).scopeName });
    expect(manifest.activationEvents).toEqual(["onLanguage:budget"]);
    expect(Object.keys(configuration.properties)).toEqual(["budget-guard.path"]);
    const source = readFileSync(join(extension, "src", "extension.ts"), "utf8");
    for (const { command } of commands) expect(source).toContain(`"${command}"`);
    expect(manifest.version).toBe(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
    expect(manifest.dependencies).toBeUndefined();
  });

  it("asks for an editor that the language client runs in", () => {
    const client = JSON.parse(readFileSync(join(root, "node_modules/vscode-languageclient/package.json"), "utf8"));
    expect(manifest.engines.vscode).toBe(client.engines.vscode);
  });

  it("has a configuration whose words are the language's", () => {
    const { wordPattern, comments } = read("language-configuration.json");
    expect(comments.lineComment).toBe("#");
    expect("tenant.max-burn->x".match(new RegExp(wordPattern, "g"))).toEqual(["tenant", "max-burn", "x"]);
  });
});

describe("the bundle", () => {
  it("requires nothing but the editor and Node, and carries the licence of what it bundles", () => {
    const code = readFileSync(join(extension, "dist", "extension.cjs"), "utf8");
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = ""]) => name);
    const foreign = required.filter((name) => name !== "vscode" && !name.startsWith("node:") && !builtin.has(name));
    expect(foreign).toEqual([]);
    const server = readFileSync(join(extension, "dist", "chunks", "language-server-protocol.mjs"), "utf8");
    expect(server.slice(0, 200)).toContain("Copyright (c) Microsoft Corporation");
    const licences = readFileSync(join(extension, "dist", "licences.txt"), "utf8");
    for (const name of [
      "vscode-languageclient",
      "vscode-languageserver",
      "minimatch",
      "semver",
      "@pydantic/genai-prices",
    ]) {
      expect(licences).toContain(`${name} `);
    }
  });
});

const builtin: ReadonlySet<string> = new Set("child_process crypto fs net os path readline url util".split(" "));
