/**
 * Where text goes, and whether it may be coloured.
 * @module
 */
import { styleText } from "node:util";

export type Colour = "red" | "yellow" | "green" | "cyan" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

/** One of the two streams. */
export interface Stream {
  /** Writes the text and a line end. Names come from policies and from traffic: they move nobody's cursor. */
  line(text: string): void;
  /** Writes exactly this. */
  exactly(text: string): void;
  readonly paint: Paint;
}

export interface Terminal {
  /** Data. */
  readonly out: Stream;
  /** Talk. */
  readonly err: Stream;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The process's own streams; the reader of a pipe may leave early (`| head`), which ends the writing quietly. */
export function createTerminal(env: Env, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Terminal {
  const stream = (target: NodeJS.WriteStream): Stream => {
    target.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
    const coloured = wantsColour(env, target.isTTY === true);
    return {
      line: (text) => void target.write(`${printable(text, coloured)}\n`),
      exactly: (text) => void target.write(text),
      paint: (colour, text) => (coloured ? styleText(colour, text, { validateStream: false }) : text),
    };
  };
  return { out: stream(stdout), err: stream(stderr) };
}

/** The text without control characters; with colours, but for those. */
export function printable(text: string, coloured: boolean): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (found: string, at: number) => {
    const isColour = coloured && found === "\u001b" && /^\[[\d;]*m/.test(text.slice(at + 1, at + 12));
    return isColour ? found : "\ufffd";
  });
}

/** https://no-color.org and https://force-color.org; the explicit wish for colour wins. */
export function wantsColour(env: Env, isTerminal: boolean): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  return isTerminal && env.TERM !== "dumb";
}
