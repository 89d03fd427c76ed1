/**
 * An editor: a real client of the Language Server Protocol, talking to the built server over its standard streams.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import {
  type CodeAction,
  type CompletionItem,
  createProtocolConnection,
  type Diagnostic,
  type DocumentSymbol,
  type Hover,
  type InitializeResult,
  type Location,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from "vscode-languageserver-protocol/node";

const main = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

/** An editor that ends with the test. */
export function anEditor(...given: ConstructorParameters<typeof Editor>): Editor {
  const editor = new Editor(...given);
  onTestFinished(() => editor.end());
  return editor;
}

export class Editor {
  /** The project's folder. */
  readonly root: string;
  readonly server: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly #published = new Map<string, PublishDiagnosticsParams>();
  readonly #versions = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  stderr = "";

  /** Starts the server in a project with these files. `command` is for other servers than the built one. */
  constructor(files: Readonly<Record<string, string>> = {}, command: readonly string[] = [main, "lsp", "--stdio"]) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), "budget-guard-lsp-")));
    this.write("package.json", "{}\n");
    for (const [file, text] of Object.entries(files)) this.write(file, text);
    const { PATH = "" } = process.env;
    const server = spawn(process.execPath, command, { cwd: this.root, env: { PATH } });
    this.server = server;
    server.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.connection = createProtocolConnection(
      new StreamMessageReader(server.stdout),
      new StreamMessageWriter(server.stdin),
    );
    this.connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
      this.#published.set(params.uri, params);
      for (const wake of this.#waiting) wake();
    });
    this.connection.onRequest("client/registerCapability", () => null);
    this.connection.listen();
  }

  /** Ends the server and removes the project. */
  end(): void {
    this.connection.dispose();
    this.server.kill("SIGKILL");
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), text);
  }

  uri(file: string): string {
    return pathToFileURL(join(this.root, file)).href;
  }

  async start(): Promise<InitializeResult> {
    const result = await this.connection.sendRequest<InitializeResult>("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(this.root).href,
      capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
    });
    await this.connection.sendNotification("initialized", {});
    return result;
  }

  /** Opens a document with this text, whatever the disk says. */
  async open(file: string, text: string, uri = this.uri(file)): Promise<void> {
    this.#versions.set(uri, 1);
    const textDocument = { uri, languageId: "budget", version: 1, text };
    await this.connection.sendNotification("textDocument/didOpen", { textDocument });
  }

  async change(file: string, text: string): Promise<void> {
    const uri = this.uri(file);
    const version = (this.#versions.get(uri) ?? 0) + 1;
    this.#versions.set(uri, version);
    const textDocument = { uri, version };
    await this.connection.sendNotification("textDocument/didChange", { textDocument, contentChanges: [{ text }] });
  }

  async close(file: string): Promise<void> {
    await this.connection.sendNotification("textDocument/didClose", { textDocument: { uri: this.uri(file) } });
  }

  async changedOnDisk(file: string): Promise<void> {
    const changes = [{ uri: this.uri(file), type: 2 }];
    await this.connection.sendNotification("workspace/didChangeWatchedFiles", { changes });
  }

  /** What is shown of the file, as soon as it is what is waited for. */
  async diagnostics(
    file: string,
    until: (found: readonly Diagnostic[]) => boolean = () => true,
    uri = this.uri(file),
  ): Promise<readonly Diagnostic[]> {
    return await new Promise((resolve, reject) => {
      const give = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`never came; last: ${JSON.stringify(this.#published.get(uri))}\n${this.stderr}`));
      }, 20_000);
      const look = (): void => {
        const found = this.#published.get(uri);
        if (found === undefined || !until(found.diagnostics)) return;
        this.#waiting.delete(look);
        clearTimeout(give);
        resolve(found.diagnostics);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async hover(file: string, line: number, character: number): Promise<Hover | null> {
    return await this.connection.sendRequest("textDocument/hover", this.#at(file, line, character));
  }

  async complete(file: string, line: number, character: number): Promise<readonly CompletionItem[]> {
    return await this.connection.sendRequest("textDocument/completion", this.#at(file, line, character));
  }

  async definition(file: string, line: number, character: number): Promise<Location | null> {
    return await this.connection.sendRequest("textDocument/definition", this.#at(file, line, character));
  }

  async symbols(file: string): Promise<readonly DocumentSymbol[]> {
    return await this.connection.sendRequest("textDocument/documentSymbol", { textDocument: { uri: this.uri(file) } });
  }

  async format(file: string): Promise<readonly TextEdit[]> {
    const options = { tabSize: 2, insertSpaces: true };
    return await this.connection.sendRequest("textDocument/formatting", {
      textDocument: { uri: this.uri(file) },
      options,
    });
  }

  async fixes(file: string, { range }: Diagnostic): Promise<readonly CodeAction[]> {
    const params = { textDocument: { uri: this.uri(file) }, range, context: { diagnostics: [] } };
    return await this.connection.sendRequest("textDocument/codeAction", params);
  }

  #at(file: string, line: number, character: number): object {
    return { textDocument: { uri: this.uri(file) }, position: { line, character } };
  }
}
