/**
 * The language server on standard input and output. In: the protocol's requests. Out: what the features answer.
 * A feature that fails answers nothing and says so in the editor's log; the server goes on.
 * @module
 */
import {
  type CodeAction,
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  type InitializeResult,
  ProposedFeatures,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { format } from "../policy/format.ts";
import { version } from "../version.ts";
import { completionsAt } from "./completion.ts";
import { definitionAt } from "./definition.ts";
import { fixFor } from "./fixes.ts";
import { hoverAt } from "./hover.ts";
import { isSuite } from "./project.ts";
import { rangeOf, shownCompletions, shownDiagnostic, shownSymbol } from "./protocol.ts";
import { policySymbols, suiteSymbols } from "./symbols.ts";
import { type Place, Workspace } from "./workspace.ts";

/** Milliseconds without a keystroke after which diagnostics are computed. */
const QUIET_MS = 150;

/** Serves until the editor says `exit` or goes away. */
export function serve(env: Readonly<Record<string, string | undefined>>): void {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  const documents = new TextDocuments(TextDocument);
  const workspace = new Workspace(env);
  const publisher = new Publisher(connection, workspace);
  let watches = false;

  connection.onInitialize(({ capabilities }): InitializeResult => {
    watches = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    return {
      serverInfo: { name: "budget-guard", version: version() },
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        hoverProvider: true,
        completionProvider: { triggerCharacters: [".", " ", '"', "{"] },
        definitionProvider: true,
        documentSymbolProvider: true,
        documentFormattingProvider: true,
        codeActionProvider: { codeActionKinds: ["quickfix"] },
      },
    };
  });
  connection.onInitialized(() => {
    if (!watches) return;
    const watchers = ["**/*.budget", "**/*.json"].map((globPattern) => ({ globPattern }));
    connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }).catch((error: unknown) => {
      connection.console.warn(`files are not watched: ${error}`);
    });
  });
  connection.onDidChangeWatchedFiles(() => {
    workspace.forget();
    publisher.soon();
  });
  documents.onDidChangeContent(({ document }) => {
    workspace.set(document);
    publisher.soon();
  });
  documents.onDidClose(({ document }) => {
    workspace.delete(document.uri);
    publisher.soon();
  });
  answerWith(connection, workspace);
  documents.listen(connection);
  connection.listen();
}

/** Tells the editor what is wrong, once it has been quiet for a moment. */
class Publisher {
  readonly #connection: Connection;
  readonly #workspace: Workspace;
  #timer: NodeJS.Timeout | null = null;
  #published = new Set<string>();

  constructor(connection: Connection, workspace: Workspace) {
    this.#connection = connection;
    this.#workspace = workspace;
  }

  soon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#publish().catch((error: unknown) => this.#connection.console.error(textOf(error)));
    }, QUIET_MS);
  }

  async #publish(): Promise<void> {
    await this.#workspace.loadModels();
    // From here on without a pause: nothing newer may be overtaken.
    const shown = this.#workspace.shown();
    const now = new Set(shown.map(({ uri }) => uri));
    const gone = [...this.#published].filter((uri) => !now.has(uri));
    this.#published = now;
    const lists = [
      ...shown.map(({ uri, document, diagnostics }) => ({
        uri,
        diagnostics: diagnostics.map((diagnostic) => shownDiagnostic(diagnostic, document)),
      })),
      ...gone.map((uri) => ({ uri, diagnostics: [] })),
    ];
    await Promise.all(lists.map((list) => this.#connection.sendDiagnostics(list)));
  }
}

function answerWith(connection: Connection, workspace: Workspace): void {
  /** The answer of a feature at an open document; nothing where it fails. */
  const answer = <Result>(uri: string, feature: (place: Place) => Result | null): Result | null => {
    try {
      const place = workspace.at(uri);
      return place === null ? null : feature(place);
    } catch (error) {
      connection.console.error(textOf(error));
      return null;
    }
  };
  const at = ({ position }: TextDocumentPositionParams, { document }: Place): [string, number] => [
    document.getText(),
    document.offsetAt(position),
  ];

  connection.onHover((params) =>
    answer(params.textDocument.uri, (place) => {
      const found = hoverAt(place.project, place.file, ...at(params, place));
      if (found === null) return null;
      return { contents: { kind: "markdown", value: found.markdown }, range: rangeOf(place.document, found.span) };
    }),
  );
  connection.onCompletion((params) =>
    answer(params.textDocument.uri, (place) =>
      shownCompletions(completionsAt(place.project, place.file, ...at(params, place), place.models), place.document),
    ),
  );
  connection.onDefinition((params) =>
    answer(params.textDocument.uri, (place) => {
      const found = definitionAt(place.project, place.file, ...at(params, place));
      if (found === null) return null;
      const document = workspace.documentOf(place.project, found.file);
      return { uri: document.uri, range: rangeOf(document, found.span) };
    }),
  );
  connection.onDocumentSymbol(({ textDocument }) =>
    answer(textDocument.uri, ({ document, file }) => {
      const symbols = isSuite(file) ? suiteSymbols(document.getText()) : policySymbols(document.getText());
      return symbols.map((symbol) => shownSymbol(symbol, document));
    }),
  );
  connection.onDocumentFormatting(({ textDocument }) =>
    answer(textDocument.uri, ({ document, file }) => {
      const text = document.getText();
      const result = format(text, isSuite(file) ? "suite" : "policy");
      if (result.kind === "unreadable" || result.text === text) return [];
      return [{ range: rangeOf(document, { start: 0, end: text.length }), newText: result.text }];
    }),
  );
  connection.onCodeAction(({ textDocument, range }) =>
    answer(textDocument.uri, ({ project, document, file }): CodeAction[] => {
      const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
      const touched = project.diagnostics.filter(
        (one) => one.file === file && one.span.start <= end && start <= one.span.end,
      );
      return touched.flatMap((diagnostic) => {
        const fix = fixFor(project, diagnostic, document.getText());
        if (fix === null) return [];
        const edit = { range: rangeOf(document, fix.span), newText: fix.text };
        return {
          title: fix.title,
          kind: "quickfix",
          isPreferred: true,
          diagnostics: [shownDiagnostic(diagnostic, document)],
          edit: { changes: { [document.uri]: [edit] } },
        };
      });
    }),
  );
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
