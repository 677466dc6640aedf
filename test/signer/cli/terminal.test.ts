import { PassThrough, Writable } from "node:stream";
import { expect } from "chai";
import { Failure } from "../../../signer/cli/failure.ts";
import { type Io, Terminal } from "../../../signer/cli/terminal.ts";
import { table, wrap } from "../../../signer/cli/text.ts";

/** A pretended terminal: what is typed goes in, what is shown comes out. */
function pretend(env: Record<string, string> = { TERM: "dumb" }, isTTY = true) {
  const shown = { out: "", err: "" };
  const modes: boolean[] = [];
  const sink = (name: "out" | "err") =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          shown[name] += chunk.toString();
          done();
          this.emit("shown", chunk.toString());
        },
      }),
      { isTTY },
    );
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: (on: boolean) => modes.push(on) });
  const io: Io = { stdin, stdout: sink("out"), stderr: sink("err"), env };
  return { terminal: new Terminal(io), stdin, shown, modes, io };
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Failure ? error.exit : String(error);
}

describe("terminal", () => {
  it("shows what is typed to a question, and not what is typed as a secret", async () => {
    const { terminal, stdin, shown } = pretend();
    stdin.write("visible\r");
    expect(await terminal.ask("Name: ")).to.equal("visible");
    stdin.write("hidden\r");
    expect((await terminal.askSecret("Secret: ")).toString()).to.equal("hidden");
    expect(shown.err).to.equal("Name: visible\nSecret: \n");
  });

  it("mends the line on Backspace and empties it on Ctrl-U", async () => {
    const { terminal, stdin } = pretend();
    stdin.write("wrong\x15abd\x7fc\r");
    expect((await terminal.askSecret("> ")).toString()).to.equal("abc");
    stdin.write("\x7f\x7fü\x7fx\r");
    expect(await terminal.ask("> ")).to.equal("x");
  });

  it("keeps lines that were typed ahead for the next questions, whichever way they end", async () => {
    const { terminal, stdin } = pretend();
    stdin.write("one\r\ntwo\nthree\r");
    expect(await terminal.ask("1 ")).to.equal("one");
    expect(await terminal.ask("2 ")).to.equal("two");
    expect(await terminal.ask("3 ")).to.equal("three");
  });

  describe("at a question that nobody waited for", () => {
    const WHERE = "\x1b[6n";
    /** A terminal's word that its cursor stands after the last thing that was shown, in its last row. */
    const here = (shown: string) => `\x1b[24;${shown.slice(shown.lastIndexOf("\r") + 1).indexOf("\x1b") + 1}R`;
    const never = new AbortController().signal;
    const BLOCK = [{ text: "To | tz1" }];

    /** A terminal that says where its cursor is, after `early` was typed; then `late` is. */
    async function answering(early: string, late: string, env = { TERM: "xterm" }) {
      const { terminal, stdin, io, shown } = pretend(env);
      io.stderr.on("shown", (text: string) => {
        if (!text.includes(WHERE)) return;
        stdin.write(`${early}${here(text)}`);
        stdin.write(late);
      });
      await terminal.prepare();
      stdin.read();
      return { terminal, shown, answer: await terminal.askUnexpected(BLOCK, () => "Request 1> ", never) };
    }

    it("takes nothing that was typed before the terminal says that it has shown the prompt", async () => {
      const { answer, shown } = await answering("early\rearl", "late\r");
      expect(answer).to.equal("late");
      expect(shown.err).to.contain("To | tz1\nRequest 1> \x1b[6n");
    });

    it("takes what follows the terminal's word in one piece with it", async () => {
      const { terminal, stdin, io } = pretend({ TERM: "xterm" });
      io.stderr.on("shown", (text: string) => {
        if (text.includes(WHERE)) stdin.write(`early\r${here(text)}late\r`);
      });
      await terminal.prepare();
      stdin.read();
      expect(await terminal.askUnexpected(BLOCK, () => "> ", never)).to.equal("late");
    });

    it("takes nothing typed between a question that was taken back and the prompt of the next, however late the terminal tells", async () => {
      const { terminal, stdin, io } = pretend({ TERM: "xterm" });
      const withdrawn = new AbortController();
      const told = [
        (text: string) => stdin.write(here(text)),
        () => withdrawn.abort("the client gave up"),
        (text: string) => stdin.write(`${here(text)}no\r${here(text)}late\r`),
      ];
      io.stderr.on("shown", (text: string) => text.includes(WHERE) && told.shift()?.(text));
      await terminal.prepare();
      stdin.read();
      expect(await terminal.askUnexpected(BLOCK, () => "1> ", withdrawn.signal).catch(String)).to.equal(
        "the client gave up",
      );
      expect(await terminal.askUnexpected(BLOCK, () => "2> ", never)).to.equal("late");
    });

    it("takes no key for the terminal's word: F3 with Shift, Alt or Ctrl sends what a report is like", async () => {
      for (let modifier = 2; modifier <= 256; modifier += 1) {
        const key = `\x1b[1;${modifier}R`;
        const { answer } = await answering(`${key}early\r`, "late\r");
        expect(answer, key).to.equal("late");
      }
      // Nor a report of another place, such as one that a question asked for which was taken back long ago.
      expect((await answering("\x1b[24;9Rearly\r\x1b[24;12;1Rearly\r", "late\r")).answer).to.equal("late");
    });

    it("drops keys until all is written, and for a moment more, where the terminal says nothing", async () => {
      const { terminal, stdin, io } = pretend();
      stdin.write("typed before\ry\ry");
      await terminal.prepare();
      io.stderr.on("shown", (text: string) => {
        if (text === "To | tz1\n") stdin.write("typed at the block\r");
        if (text === "> ") stdin.write("typed at the prompt\r");
      });
      expect(await terminal.askUnexpected(BLOCK, () => "> ", never)).to.equal("typed at the prompt");
    });

    it("draws the prompt anew as it counts, with what is typed so far", async () => {
      const { terminal, stdin, io, shown } = pretend();
      let drawn = 0;
      io.stderr.on("shown", (text: string) => {
        if (text === "1> ") stdin.write("ab");
        if (text === "\r2> ab") stdin.write("\r");
      });
      expect(await terminal.askUnexpected([], () => `${++drawn}> `, never)).to.equal("ab");
      expect(shown.err).to.equal("1> ab\r2> ab\n");
    });

    it("ends on Ctrl-C before the prompt and at it, and when the question is taken back", async () => {
      const early = pretend();
      early.stdin.write("\x03");
      expect(await failure(early.terminal.askUnexpected(BLOCK, () => "> ", never))).to.equal("interrupted");
      const late = pretend();
      late.io.stderr.on("shown", (text: string) => text === "> " && late.stdin.write("\x03"));
      expect(await failure(late.terminal.askUnexpected(BLOCK, () => "> ", never))).to.equal("interrupted");
      const { terminal, io } = pretend();
      const withdrawn = new AbortController();
      io.stderr.on("shown", (text: string) => text === "> " && withdrawn.abort("the client gave up"));
      expect(await terminal.askUnexpected(BLOCK, () => "> ", withdrawn.signal).catch(String)).to.equal(
        "the client gave up",
      );
    });
  });

  it("takes no arrow and no other key that is no character for text", async () => {
    const { terminal, stdin } = pretend();
    stdin.write("a\x1b[Ab\x1bOPc\x1b[1;5Cd\x1b[3~e\x1bf\x1b[24;80Rg\r");
    expect(await terminal.ask("> ")).to.equal("abcdefg");
  });

  it("takes the size of the terminal, and what is usual where it tells none", () => {
    const { terminal, io } = pretend();
    expect(terminal.size).to.deep.equal({ columns: 80, rows: 24 });
    Object.assign(io.stderr, { columns: 0, rows: 0 });
    expect(terminal.size).to.deep.equal({ columns: 80, rows: 24 });
    Object.assign(io.stderr, { columns: 120, rows: 40 });
    expect(terminal.size).to.deep.equal({ columns: 120, rows: 40 });
  });

  it("takes a question back, and keeps no key of its answer", async () => {
    const { terminal, stdin } = pretend();
    const withdrawn = new AbortController();
    const asked = terminal.ask("Confirm? ", withdrawn.signal).catch((reason: unknown) => reason);
    stdin.write("y");
    await new Promise((resolve) => setImmediate(resolve));
    withdrawn.abort("the client gave up");
    expect(await asked).to.equal("the client gave up");
    stdin.write("\r");
    expect(await terminal.ask("Next: ")).to.equal("");
    expect(await terminal.ask("Gone: ", withdrawn.signal).catch((reason: unknown) => reason)).to.equal(
      "the client gave up",
    );
  });

  it("takes a line that comes in pieces", async () => {
    const { terminal, stdin } = pretend();
    const answer = terminal.ask("> ");
    for (const piece of ["a", "b", "\r"]) {
      stdin.write(piece);
      await new Promise(setImmediate);
    }
    expect(await answer).to.equal("ab");
  });

  it("ends as interrupted on Ctrl-C, Ctrl-D, and when the terminal is closed", async () => {
    for (const end of ["abc\x03", "\x04"]) {
      const { terminal, stdin } = pretend();
      stdin.write(end);
      expect(await failure(terminal.ask("> "))).to.equal("interrupted");
    }
    const { terminal, stdin } = pretend();
    stdin.end();
    expect(await failure(terminal.ask("> "))).to.equal("interrupted");
  });

  it("asks nothing without a terminal", async () => {
    const { terminal, shown } = pretend({}, false);
    expect(await failure(terminal.askSecret("Secret: "))).to.equal("usage");
    expect(await failure(terminal.showBriefly("secret", async () => {}))).to.equal("usage");
    expect(shown.err).to.equal("");
  });

  it("takes y and yes for a yes, and nothing else", async () => {
    for (const [typed, expected] of [
      ["y", true],
      ["YES", true],
      ["Yes", true],
      [" y ", true],
      ["", false],
      ["yep", false],
      ["n", false],
    ] as const) {
      const { terminal, stdin } = pretend();
      stdin.write(`${typed}\r`);
      expect(await terminal.confirm("Sure?"), typed).to.equal(expected);
    }
  });

  it("stays raw from the first question until it is released, so that nothing typed too early is echoed", async () => {
    const { terminal, stdin, modes } = pretend();
    stdin.write("x\r");
    await terminal.askSecret("> ");
    expect(modes).to.deep.equal([true]);
    terminal.release();
    expect(modes).to.deep.equal([true, false]);
    terminal[Symbol.dispose]();
    expect(modes).to.deep.equal([true, false]);
  });

  it("shows a secret on the other screen and clears it, also when the user stops", async () => {
    const { terminal, shown } = pretend({ TERM: "xterm" });
    const act = async () => {
      throw new Failure("interrupted", "Stopped.");
    };
    expect(await failure(terminal.showBriefly("SECRET", act))).to.equal("interrupted");
    expect(shown.err).to.equal("\x1b[?1049h\x1b[2J\x1b[HSECRET\n\x1b[2J\x1b[H\x1b[?1049l");
  });

  it("colours warnings for a person, and not with NO_COLOR, on a dumb terminal or in a file", () => {
    for (const [env, isTTY, hasColour] of [
      [{ TERM: "xterm" }, true, true],
      [{ TERM: "xterm", NO_COLOR: "1" }, true, false],
      [{ TERM: "dumb" }, true, false],
      [{ TERM: "xterm" }, false, false],
    ] as const) {
      const { terminal, shown } = pretend(env, isTTY);
      terminal.warn("look");
      expect(shown.err.includes("\x1b["), JSON.stringify([env, isTTY])).to.equal(hasColour);
      expect(shown.err).to.include("WARNING: look");
    }
  });

  it("writes results to standard output and everything else to standard error", () => {
    const { terminal, shown } = pretend();
    terminal.print("result");
    terminal.say("prose");
    expect(shown).to.deep.equal({ out: "result\n", err: "prose\n" });
  });
});

describe("text for a terminal", () => {
  it("cannot steer the terminal", () => {
    const { terminal, shown } = pretend();
    terminal.print("tag \x1b[2J\x07\u009b0m\r\nnext");
    expect(shown.out).to.equal("tag \ufffd[2J\ufffd\ufffd0m\ufffd\nnext\n");
  });

  it("is wrapped at 80 columns between words", () => {
    const lines = wrap("word ".repeat(60)).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).to.be.within(75, 80);
    expect(lines.join(" ")).to.equal("word ".repeat(60).trim());
  });

  it("keeps indented lines and words longer than a line as they are", () => {
    const long = `  ${"x ".repeat(60)}`;
    expect(wrap(`text\n${long}`)).to.equal(`text\n${long}`);
    expect(wrap("y".repeat(100))).to.equal("y".repeat(100));
  });

  it("stands in two columns", () => {
    expect(
      table([
        ["a", "1"],
        ["long", "2"],
      ]),
    ).to.equal("  a     1\n  long  2");
  });
});
