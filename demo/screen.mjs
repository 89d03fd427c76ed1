// What the demo looks like: colours and a moving line in a terminal, plain lines in a pipe.

const terminal = process.stdout.isTTY === true;
const coloured = process.env.FORCE_COLOR ? true : terminal && !process.env.NO_COLOR && process.env.TERM !== "dumb";
const paint = (code) => (text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = paint("1");
export const dim = paint("2");
export const red = paint("31");
export const green = paint("32");
export const cyan = paint("36");

/** Letters on the screen, without the colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is to be found
const width = (text) => text.replace(/\x1b\[\d+m/g, "").length;
const padded = (text, to, right) => {
  const space = " ".repeat(Math.max(0, to - width(text)));
  return right ? space + text : text + space;
};

export const columns = Math.min(process.stdout.columns || 100, 110);

export function print(text = "") {
  process.stdout.write(text === "" ? "\n" : `  ${text.replaceAll("\n", "\n  ")}\n`);
}

/** A counter that moves in a terminal and prints a line now and then in a pipe. */
export function counter() {
  let last = 0;
  return {
    show(text, force = false) {
      const now = Date.now();
      if (!force && now - last < (terminal ? 60 : 1_500)) return;
      last = now;
      process.stdout.write(terminal ? `\r\x1b[2K     ${text}` : `     ${text}\n`);
    },
    end(text) {
      this.show(text, true);
      if (terminal) process.stdout.write("\n");
    },
  };
}

/** Rows of [label, left, right], the figures to the right. */
export function table(head, rows) {
  const widths = [0, 1, 2].map((at) => Math.max(...[head, ...rows].map((row) => width(row[at]))));
  const line = (row) => row.map((cell, at) => padded(cell, widths[at], at > 0)).join("   ");
  print(bold(line(head)));
  print(dim("─".repeat(widths.reduce((sum, each) => sum + each + 3, -3))));
  for (const row of rows) print(line(row));
}

/** Breaks a text into lines of the screen's width. */
export function wrapped(text, indent = 0) {
  const room = columns - 4 - indent;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== "" && width(line) + 1 + width(word) > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
