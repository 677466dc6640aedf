/**
 * Shell lines as a reader types them, taken apart as far as it takes to see which programs they call and with what.
 * @module
 */

/** The words of one call: the program first, quotes taken off. */
export type Words = readonly string[];

/** Words that stand before a command and are none. */
const BEFORE = /^(?:sudo|exec|time|do|then|else|if|while|export|\$|!|[A-Za-z_]\w*=.*)$/s;

/** What an operator writes around a script of the machine's (docs/machine.md). */
const SENT = ["on", "--scripts"];

/**
 * Returns every call that a line makes, those within `$(…)` and within a script that it sends to the machine too.
 * What is no shell at all comes back as calls of programs that there are not.
 */
export function callsIn(line: string): Words[] {
  const calls: Words[] = [];
  read(line.replaceAll(/\$\(\([^()]*\)\)/g, "0"), 0, calls); // what is computed calls nothing
  return calls;
}

/** Reads up to the end or to the bracket that closes. @returns where it ended */
function read(line: string, from: number, calls: Words[]): number {
  let words: string[] = [];
  let word: string | undefined;
  let skipped = false; // the word after > or <
  let at = from;
  const endWord = () => {
    if (word !== undefined && !skipped) words.push(word);
    if (word !== undefined) skipped = false;
    word = undefined;
  };
  const endCall = () => {
    endWord();
    const first = words.findIndex((each) => !BEFORE.test(each));
    const call = first === -1 ? [] : words.slice(first);
    if (call.length > 0) calls.push(call);
    for (const [index, each] of call.entries()) {
      const script = SENT.includes(each) && (each !== "on" || index === 0) ? call[index + 1] : undefined;
      if (script !== undefined) calls.push(...callsIn(script));
    }
    words = [];
  };
  for (; at < line.length; at += 1) {
    const sign = line[at] as string;
    if (sign === "'") {
      const end = closing(line, at);
      word = (word ?? "") + line.slice(at + 1, end);
      at = end;
    } else if (sign === '"') {
      const end = quoted(line, at + 1, calls);
      word = (word ?? "") + line.slice(at + 1, end).replaceAll('\\"', '"');
      at = end;
    } else if (sign === "\\" && at + 1 < line.length) {
      at += 1;
      word = (word ?? "") + line[at];
    } else if (line.startsWith("$(", at)) {
      const end = read(line, at + 2, calls);
      word = (word ?? "") + line.slice(at, end + 1);
      at = end;
    } else if (sign === ")") {
      break;
    } else if (/[|&;\n(]/.test(sign)) {
      if (sign === "&" && /[<>]$/.test(line.slice(0, at))) continue; // 2>&1
      endCall();
    } else if (/[<>]/.test(sign)) {
      if (/^\d$/.test(word ?? "")) word = undefined;
      endWord();
      skipped = true;
    } else if (/\s/.test(sign)) {
      if (/^[{}]$/.test(word ?? "") && words.length === 0) word = undefined;
      endWord();
    } else if (sign === "#" && word === undefined) {
      break;
    } else word = (word ?? "") + sign;
  }
  endCall();
  return at;
}

/** Where a single quote ends; the line's end where nothing closes it. */
function closing(line: string, at: number): number {
  const end = line.indexOf("'", at + 1);
  return end === -1 ? line.length : end;
}

/** Where a double quote ends. Calls within are read as well. */
function quoted(line: string, from: number, calls: Words[]): number {
  for (let at = from; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (line.startsWith("$(", at)) at = read(line, at + 2, calls);
    else if (line[at] === '"') return at;
  }
  return line.length;
}
