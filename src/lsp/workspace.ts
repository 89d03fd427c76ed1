/**
 * The open documents and the projects that they belong to, computed once until something changes.
 * @module
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { TextDocument } from "vscode-languageserver-textdocument";
import { findRoot, readConfig } from "../config.ts";
import { loadModels } from "../known-models.ts";
import type { Diagnostic } from "../policy/diagnostics.ts";
import type { Models } from "../policy/models.ts";
import { loadProject, type Project, type Surroundings } from "./project.ts";

/** A document of the editor in its project. `file` is its name there. */
export interface Place {
  readonly project: Project;
  readonly document: TextDocument;
  readonly file: string;
  readonly models: readonly string[];
}

/** What is to be shown of one file. */
export interface Shown {
  readonly uri: string;
  readonly document: TextDocument;
  readonly diagnostics: readonly Diagnostic[];
}

type Env = Surroundings["env"];

/** Documents by path, and what was computed of them. */
export class Workspace {
  readonly #env: Env;
  readonly #documents = new Map<string, TextDocument>();
  readonly #projects = new Map<string, Project>();
  readonly #models = new Map<string, Models | null>();

  constructor(env: Env) {
    this.#env = env;
  }

  /** Takes a document in, or its new text. */
  set(document: TextDocument): void {
    this.#documents.set(pathOf(document.uri), document);
    this.#projects.clear();
  }

  delete(uri: string): void {
    this.#documents.delete(pathOf(uri));
    this.#projects.clear();
  }

  /** Something changed on the disk. */
  forget(): void {
    this.#projects.clear();
    this.#models.clear();
  }

  /** The document at a URI in its project, or null where it is not open. */
  at(uri: string): Place | null {
    const path = pathOf(uri);
    const document = this.#documents.get(path);
    if (document === undefined) return null;
    const project = this.#project(path);
    return { project, document, file: project.nameOf(path), models: this.#models.get(findRoot(path))?.names ?? [] };
  }

  /** Reads the prices that the open documents' projects know; until then nothing is said about models. */
  async loadModels(): Promise<void> {
    for (const path of this.#documents.keys()) {
      const root = findRoot(path);
      if (this.#models.has(root)) continue;
      this.#models.set(root, await modelsOf(this.#env, root));
      this.#projects.clear();
    }
  }

  /** Every file that the open documents' projects are made of, with what is wrong with it. */
  shown(): readonly Shown[] {
    const found = new Map<string, Shown>();
    for (const path of this.#documents.keys()) {
      const project = this.#project(path);
      for (const file of new Set([...project.sources, ...project.diagnostics].map((one) => one.file))) {
        const there = project.pathOf(file);
        // Of an open document its own project decides.
        if (found.has(there) && !(there === path)) continue;
        const document = this.documentOf(project, file);
        const diagnostics = project.diagnostics.filter((one) => one.file === file);
        found.set(there, { uri: document.uri, document, diagnostics });
      }
    }
    return [...found.values()];
  }

  /** The open document of a file, or its text on the disk as one. */
  documentOf(project: Project, file: string): TextDocument {
    const path = project.pathOf(file);
    const text = project.sources.find((source) => source.file === file)?.text ?? "";
    return this.#documents.get(path) ?? TextDocument.create(pathToFileURL(path).href, "budget", 0, text);
  }

  #project(path: string): Project {
    const known = this.#projects.get(path);
    if (known !== undefined) return known;
    const buffers = new Map([...this.#documents].map(([file, document]) => [file, document.getText()]));
    const models = this.#models.get(findRoot(path)) ?? null;
    const project = loadProject(path, { env: this.#env, buffers, models });
    this.#projects.set(path, project);
    return project;
  }
}

/** A document that is no file is given a place at the top of the disk, where nothing lies beside it. */
function pathOf(uri: string): string {
  try {
    if (uri.startsWith("file:")) return fileURLToPath(uri);
  } catch {
    // A malformed URI names no file.
  }
  return `/${encodeURIComponent(uri)}.budget`;
}

async function modelsOf(env: Env, root: string): Promise<Models | null> {
  try {
    return await loadModels(readConfig({ ...env, BUDGET_GUARD_POLICY: undefined }, root).prices);
  } catch {
    return null;
  }
}
