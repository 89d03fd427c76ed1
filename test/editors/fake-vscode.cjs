// As much of the module `vscode` as the extension needs to start its server: it runs outside of the editor, over a
// workspace with one open document, and prints what it is told to show as lines of JSON.
const { EventEmitter } = require("node:events");
const { readFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { pathToFileURL, fileURLToPath } = require("node:url");

const { WORKSPACE: workspace, SETTING: setting = "", TRUSTED: trusted = "yes" } = process.env;
const say = (kind, value) => process.stdout.write(`${JSON.stringify({ kind, ...value })}\n`);

class Disposable {
  constructor(dispose = () => {}) {
    this.dispose = dispose;
  }
  static from(...all) {
    return new Disposable(() => all.map((one) => one.dispose()));
  }
}
class Emitter extends EventEmitter {
  constructor() {
    super();
    this.event = (listener, that) => {
      this.on("event", that === undefined ? listener : listener.bind(that));
      return new Disposable(() => this.removeAllListeners());
    };
  }
  fire(event) {
    this.emit("event", event);
  }
  dispose() {
    this.removeAllListeners();
  }
}
const never = () => new Disposable();
class Uri {
  constructor(href) {
    this.href = href;
    this.scheme = href.slice(0, href.indexOf(":"));
    this.fsPath = fileURLToPath(href);
    this.path = this.fsPath;
  }
  static parse(href) {
    return new Uri(href);
  }
  static file(path) {
    return new Uri(pathToFileURL(path).href);
  }
  toString() {
    return this.href;
  }
}
class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}
class Range {
  constructor(a, b, c, d) {
    const points = typeof a === "number" ? [new Position(a, b), new Position(c, d)] : [a, b];
    [this.start, this.end] = points;
  }
}
class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}
class CancellationTokenSource {
  token = { isCancellationRequested: false, onCancellationRequested: never };
  cancel() {}
  dispose() {}
}

const file = join(workspace, "policies", "a.budget");
const text = readFileSync(file, "utf8");
const document = {
  uri: Uri.file(file),
  fileName: file,
  languageId: "budget",
  version: 1,
  isClosed: false,
  isDirty: false,
  lineCount: text.split("\n").length,
  getText: () => text,
};
const channel = new Proxy(
  { logLevel: 0, onDidChangeLogLevel: never },
  { get: (own, key) => own[key] ?? (() => undefined) },
);
const known = {
  Disposable,
  EventEmitter: Emitter,
  Uri,
  Position,
  Range,
  Diagnostic,
  CancellationTokenSource,
  CodeActionKind: { Empty: { append: (value) => ({ value }) } },
  version: "1.106.0",
  env: { appName: "test", language: "en", uriScheme: "vscode", onDidChangeTelemetryEnabled: never },
  DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
  commands: {
    registerCommand: (name) => {
      say("command", { name });
      return new Disposable();
    },
  },
  languages: new Proxy(
    {
      match: (selector, { languageId }) => (JSON.stringify(selector).includes(`"${languageId}"`) ? 10 : 0),
      createDiagnosticCollection: () => ({
        set: (uri, found) => say("diagnostics", { uri: uri.toString(), found }),
        get: () => undefined,
        delete: () => undefined,
        clear: () => undefined,
        dispose: () => undefined,
      }),
    },
    {
      get: (own, key) =>
        own[key] ??
        (() => {
          say("provider", { name: String(key) });
          return new Disposable();
        }),
    },
  ),
  window: new Proxy(
    { createOutputChannel: () => channel, tabGroups: { all: [], onDidChangeTabs: never }, visibleTextEditors: [] },
    {
      get: (own, key) =>
        own[key] ??
        (/^(onDid|create)/.test(String(key))
          ? never
          : async (message) => say(String(key), { message: String(message) })),
    },
  ),
  workspace: new Proxy(
    {
      isTrusted: trusted === "yes",
      workspaceFolders: [{ uri: Uri.file(workspace), name: "w", index: 0 }],
      textDocuments: [document],
      notebookDocuments: [],
      getConfiguration: () => ({ get: (name, otherwise) => (name === "path" ? setting : otherwise) }),
      getWorkspaceFolder: () => ({ uri: Uri.file(workspace), name: "w", index: 0 }),
      createFileSystemWatcher: () => ({ onDidCreate: never, onDidChange: never, onDidDelete: never, dispose() {} }),
    },
    { get: (own, key) => own[key] ?? never },
  ),
};
// What is only there to be extended or listed: an empty class.
const made = new Map();
const vscode = new Proxy(known, {
  get(own, key) {
    if (key in own) return own[key];
    // Or the compiled client would copy what is listed, and miss what is made up here.
    if (key === "__esModule") return true;
    if (!made.has(key)) made.set(key, class {});
    return made.get(key);
  },
});

const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));

const extension = require(process.argv[2]);
const context = { subscriptions: [], extensionPath: join(process.argv[2], "..", "..") };
extension.activate(context).then(
  () => say("active", { subscriptions: context.subscriptions.length }),
  (error) => say("failed", { message: String(error?.stack ?? error) }),
);
process.stdin.on("data", () => {
  extension.deactivate().then(() => {
    say("ended", {});
    process.exit(0);
  });
});
