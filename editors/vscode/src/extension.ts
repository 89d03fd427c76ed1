/**
 * The extension: starts the language server, and starts it again when the settings change.
 * @module
 */
import * as vscode from "vscode";
import { LanguageClient, type ServerOptions, TransportKind } from "vscode-languageclient/node";
import { serverCommand } from "./server-command.ts";

let client: LanguageClient | null = null;

/** Called by the editor when the first policy is opened. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const restart = async (): Promise<void> => {
    await deactivate();
    await start(context);
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("budget-guard.restart", restart),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((event) =>
      event.affectsConfiguration("budget-guard.path") ? restart() : undefined,
    ),
  );
  await start(context);
}

/** Called by the editor before it ends, or unloads the extension. */
export async function deactivate(): Promise<void> {
  const ending = client;
  client = null;
  // One that did not start has nothing to stop, and would say so.
  if (ending?.needsStop() === true) await ending.stop();
}

async function start({ extensionPath }: vscode.ExtensionContext): Promise<void> {
  const command = serverCommand({
    path: vscode.workspace.getConfiguration("budget-guard").get<string>("path") ?? "",
    folders: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
    trusted: vscode.workspace.isTrusted,
    extension: extensionPath,
  });
  const args = [...command.args];
  const server: ServerOptions =
    command.kind === "script"
      ? { module: command.path, args, transport: TransportKind.stdio }
      : { command: command.path, args, transport: TransportKind.stdio };
  client = new LanguageClient("budget-guard", "budget-guard", server, {
    documentSelector: [{ language: "budget" }],
  });
  await client.start();
}
