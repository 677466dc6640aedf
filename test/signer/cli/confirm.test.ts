import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { expect } from "chai";
import { confirmCommand } from "../../../signer/cli/confirm.ts";
import { runCommandLine } from "../../../signer/cli/run.ts";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import { MOST_MESSAGE, MOST_OPERATORS } from "../../../signer/confirmation/messages.ts";
import type { Question } from "../../../signer/confirmation/question.ts";
import { ConfirmationSocket } from "../../../signer/confirmation/socket.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { operations, part, SOURCE } from "../../fixtures/payloads.ts";
import { describePayload } from "../../harness/described.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { fakeTimers } from "../../harness/fake-timers.ts";
import { logLines } from "../../harness/log-lines.ts";
import { monotonicClock } from "../../harness/monotonic-clock.ts";
import { code, confirmInTerminal, operatorAt, promptOf } from "../../harness/operator.ts";
import { compiled, inTerminal } from "../../harness/pseudo-terminal.ts";
import { requires } from "../../harness/requires.ts";

const ENTRY = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");
const CTRL_C = "\x03";
/** Empties the line, and is not an answer. */
const CTRL_U = "\x15";
const NEVER = new AbortController().signal;
const LATE = "2126-01-01T00:00:00Z";

/** A signed text of 3,000 characters, of which the last are its own. */
const LONG = operations(Buffer.concat([Buffer.from([17]), part(Buffer.from(`${"x".repeat(2_990)}THE VERY END`))]));
const QUESTION: Question = {
  key: SOURCE,
  client: "203.0.113.7",
  digest: "0123456789abcdef".repeat(4),
  ...describePayload(LONG),
};

/** Where a signer's questions are asked, without a signer. */
async function desk() {
  const folder = await temporaryFolder();
  const path = join(folder.path, "confirm.sock");
  const { log } = logLines();
  const confirmations = new Confirmations({ logger: log });
  const socket = new ConfirmationSocket(confirmations, log);
  await socket.open(path);
  const outcomes: string[] = [];
  const ask = () => {
    confirmations.ask(QUESTION, NEVER).then(
      () => outcomes.push("confirmed"),
      ({ code: refusal }) => outcomes.push(refusal),
    );
    return CTRL_U;
  };
  const close = async () => {
    await socket.close();
    await folder[Symbol.asyncDispose]();
  };
  return { folder: folder.path, path, confirmations, ask, outcomes, [Symbol.asyncDispose]: close };
}

describe("tezos-signer confirm", () => {
  beforeEach(function () {
    requires(this, hasProgram("script") && hasProgram("stty"), "script(1) and stty(1) make the pseudo-terminal");
  });

  it("takes neither y nor yes nor Enter for an answer, and asks again", async () => {
    await using signer = await desk();
    const answers = ["y", "yes", "", "0000", "01 23"];
    const session = await confirmInTerminal(signer.path, ["--once"], signer.ask, [
      [promptOf(1), (screen) => answers.shift() ?? code(screen)],
    ]);
    expect(session.code).to.equal(0);
    expect(signer.outcomes).to.deep.equal(["confirmed"]);
    expect(session.screen.match(/Not understood\. Nothing was signed\.\n== Request 1/g)).to.have.length(5);
  });

  it("declines after ten wrong answers, so that no program finds the right one by trying", async () => {
    await using signer = await desk();
    let tries = 0;
    const session = await confirmInTerminal(signer.path, ["--once"], signer.ask, [
      [promptOf(1), (screen) => (++tries <= 10 ? "0 00" : code(screen))],
    ]);
    expect(session.code).to.equal(3);
    expect(tries).to.equal(10);
    expect(signer.outcomes).to.deep.equal(["operator-declined"]);
    expect(session.screen).to.contain("10 answers were wrong, which declines the request.");
  });

  it("shows everything page by page on all, and comes back to the block", async () => {
    await using signer = await desk();
    const answers = ["all"];
    const pages: string[] = [];
    const session = await confirmInTerminal(
      signer.path,
      ["--once"],
      signer.ask,
      [
        [promptOf(1), (screen) => answers.shift() ?? code(screen)],
        [
          /-- (\d+ of \d+): Enter, or q -- $/,
          (screen) => {
            pages.push(/.*-- (\d+ of \d+):/s.exec(screen)?.[1] ?? "");
            return "";
          },
        ],
      ],
      { size: { columns: 60, rows: 24 } },
    );
    expect(pages.map((page) => Number(page.split(" ")[0]))).to.deep.equal(
      pages.map((_, index) => (index === pages.length - 1 ? Number(pages[index]?.split(" of ")[1]) : 23 * (index + 1))),
    );
    expect(pages).to.have.length.above(5);
    const unfolded = session.screen.replaceAll(/\n {20}│ /g, "");
    const [first = "", second = ""] = unfolded.split(/Request 1, \d:\d\d left> all/);
    expect(first).not.to.contain("VERY END");
    expect(second)
      .to.contain("VERY END")
      .and.to.match(/== Request 1: this would be signed =+\n/);
    expect(signer.outcomes).to.deep.equal(["confirmed"]);
  });

  it("rings the bell once for a question, and counts down", async () => {
    await using signer = await desk();
    const session = await confirmInTerminal(signer.path, ["--once"], signer.ask, [
      [/(Request 1, \d:\d\d left> ){2}$/, (screen) => code(screen)],
    ]);
    expect(session.screen.split("\x07")).to.have.length(2);
    const left = [...session.screen.matchAll(/Request 1, (\d):(\d\d) left> /g)].map(
      ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
    );
    expect(left[0]).to.be.within(295, 300);
    expect(left[1]).to.be.below(left[0] ?? 0);
  });

  it("rings the bell once in ten seconds, however many questions come and go", async () => {
    using clock = monotonicClock();
    const signer = await desk();
    const ask = (id: number, seconds: number) => () => {
      clock.advance(seconds * 1_000);
      void signer.confirmations.ask({ ...QUESTION, digest: `${id}`.repeat(64) }, NEVER);
      return CTRL_U;
    };
    const end = () => {
      void signer[Symbol.asyncDispose]();
      return CTRL_U;
    };
    const { stderr } = await atTerminal(
      confirmCommand,
      ["--socket", signer.path],
      [
        ...[1, 2, 3, 4].map((id) => [promptOf(id), code] as const),
        [/Waiting for signing requests/, ask(1, 0)],
        [/Confirmed: request 1\./, ask(2, 0)],
        [/Confirmed: request 2\./, ask(3, 9.999)],
        [/Confirmed: request 3\./, ask(4, 0.001)],
        [/Confirmed: request 4\./, end],
      ],
    );
    const rings = stderr.replaceAll("\x07", "\nbell").match(/\n(bell|Request \d(?=\n))/g) ?? [];
    expect(rings.map((line) => line.trim())).to.deep.equal([
      "bell",
      "Request 1",
      "Request 2",
      "Request 3",
      "bell",
      "Request 4",
    ]);
  });

  it("takes nothing that is typed before a slow terminal has shown the prompt", async () => {
    await using signer = await desk();
    const session = await confirmInTerminal(signer.path, ["--once"], signer.ask, [[promptOf(1), code]], {
      beforeReport: "no\rn\r0123\rn",
    });
    expect(session.code).to.equal(0);
    expect(session.screen).not.to.contain("Not understood");
    expect(signer.outcomes).to.deep.equal(["confirmed"]);
  });

  it("asks in a terminal that does not say what it has shown, and takes nothing that was typed before the prompt", async () => {
    await using signer = await desk();
    const early = () => `${signer.ask()}${QUESTION.digest.slice(0, 4)}\r`;
    const session = await confirmInTerminal(signer.path, ["--once"], early, [[promptOf(1), "no"]], { reports: false });
    expect(session.code).to.equal(3);
    expect(signer.outcomes).to.deep.equal(["operator-declined"]);
  });

  it("asks nothing where the question and its prompt would not be on one screen, and says what size it needs", async () => {
    await using signer = await desk();
    for (const size of [
      { columns: 39, rows: 24 },
      { columns: 80, rows: 19 },
    ]) {
      const session = await confirmInTerminal(signer.path, [], () => CTRL_C, [], { size });
      expect(session.code).to.equal(2);
      expect(session.screen).to.contain(`This terminal has ${size.columns} columns and ${size.rows} rows.`);
    }
  });

  it("lays the block out anew when the terminal gets another size, and takes nothing typed before", async () => {
    await using signer = await desk();
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    let shown = "";
    const write = (chunk: Buffer, _encoding: string, done: () => void) => {
      shown += chunk;
      done();
      if (!promptOf(1).test(String(chunk))) return;
      if (stderr.columns === 60) stdin.write(`${code(shown)}\r`);
      else {
        stdin.write("1234");
        stderr.columns = 60;
        stderr.emit("resize");
      }
    };
    const stderr = Object.assign(new Writable({ write }), { isTTY: true, columns: 80, rows: 24 });
    const io = { stdin, stdout: stderr, stderr, env: { TERM: "dumb" } };
    const ended = runCommandLine(confirmCommand(io), ["--once", "--socket", signer.path], io);
    while (signer.outcomes.length === 0 && !shown.includes("Waiting")) await new Promise(setImmediate);
    signer.ask();
    expect(await ended).to.equal(0);
    expect(signer.outcomes).to.deep.equal(["confirmed"]);
    expect(
      shown
        .split("\n")
        .filter((line) => line.startsWith("== "))
        .map(({ length }) => length),
    ).to.deep.equal([79, 59]);
  });

  it("shows no page that was laid out for another size, and comes back to the block", async () => {
    await using signer = await desk();
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    let shown = "";
    const write = (chunk: Buffer, _encoding: string, done: () => void) => {
      shown += chunk;
      done();
      if (promptOf(1).test(String(chunk))) stdin.write(stderr.columns === 60 ? `${code(shown)}\r` : "all\r");
      if (!String(chunk).startsWith("-- ")) return;
      stderr.columns = 60;
      stderr.emit("resize");
      stdin.write("\r");
    };
    const stderr = Object.assign(new Writable({ write }), { isTTY: true, columns: 80, rows: 24 });
    const io = { stdin, stdout: stderr, stderr, env: { TERM: "dumb" } };
    const ended = runCommandLine(confirmCommand(io), ["--once", "--socket", signer.path], io);
    while (signer.outcomes.length === 0 && !shown.includes("Waiting")) await new Promise(setImmediate);
    signer.ask();
    expect(await ended).to.equal(0);
    expect(signer.outcomes).to.deep.equal(["confirmed"]);
    expect(shown.match(/^-- /gm)).to.have.length(1);
    const [, after = ""] = shown.split("Enter, or q -- ");
    for (const line of after.split("\n")) expect(line.length).to.be.below(60);
  });

  describe("where no signer is reached", () => {
    const failed = async (command: readonly string[], cwd?: string) =>
      inTerminal(command, [], { env: compiled(), ...(cwd !== undefined && { cwd }) });
    const confirm = (path: string) => [process.execPath, ENTRY, "confirm", "--socket", path];
    const remedy = "Is the signer running, with confirmation.socket in its settings? `npm run signer -- status` says.";

    it("says that there is no socket", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "no.sock");
      const { code: exit, screen } = await failed(confirm(path));
      expect(screen.replaceAll(/\s+/g, " ").trim()).to.equal(
        `No signer listens at ${path} (no such file or directory). ${remedy}`,
      );
      expect(exit).to.equal(11);
    });

    it("says that nobody listens at the socket", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "left.sock");
      const leave = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
      expect(() => execFileSync(process.execPath, ["--eval", leave])).to.throw();
      const { code: exit, screen } = await failed(confirm(path));
      expect(screen.replaceAll(/\s+/g, " ").trim()).to.equal(
        `No signer listens at ${path} (nobody listens there). ${remedy}`,
      );
      expect(exit).to.equal(11);
    });

    it("says that this user may not open the socket", async function () {
      const isRoot = process.getuid?.() === 0;
      requires(this, !isRoot || hasProgram("setpriv"), "setpriv makes another user of root");
      await using signer = await desk();
      await chmod(signer.folder, 0o755);
      await chmod(signer.path, 0);
      const nobody = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
      const { code: exit, screen } = await failed([...nobody, ...confirm(signer.path)]);
      expect(screen.replaceAll(/\s+/g, " ").trim()).to.equal(
        `This user may not open ${signer.path}. Run this as a member of the socket's group, or with sudo.`,
      );
      expect(exit).to.equal(9);
    });

    it("says that what listens there is no signer of this release, whatever it sends, and asks nothing", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "other.sock");
      const known = { id: 1, since: LATE, until: LATE, ...QUESTION };
      const asked = (changes: object) => JSON.stringify({ event: "asked", question: { ...known, ...changes } });
      for (const line of [
        "HTTP/1.1 400 Bad Request",
        "null",
        "{}",
        '{"event":"told"}',
        '{"event":"withdrawn","id":"1","reason":"x"}',
        asked({ digest: "" }),
        asked({ id: -1 }),
        asked({ until: "soon" }),
        asked({ summary: { ...QUESTION.summary, rest: { count: 0, mutez: "1e9" } } }),
        asked({ sections: [{ title: "t", fields: [{ label: "l" }] }] }),
        asked({ sections: [{ title: "\x1b[2J", fields: [] }] }),
        asked({ sections: [{ title: "t", fields: [{ label: "l\nTo", value: "" }] }] }),
        asked({ summary: { ...QUESTION.summary, warnings: ["\u202e"] } }),
        '{"event":"withdrawn","id":1,"reason":"\\nConfirmed: request 1."}',
        '{"event":"acknowledged","id":1,"accepted":true}',
        "x".repeat(MOST_MESSAGE + 1),
      ]) {
        const server = createServer((socket) =>
          socket.on("error", () => undefined).end(`{"event":"ready"}\n${line}\n`),
        );
        await new Promise<void>((resolve) => server.listen(path, resolve));
        const { code: exit, stderr } = await atTerminal(confirmCommand, ["--once", "--socket", path]);
        server.close();
        expect(stderr.replaceAll(/\s+/g, " "), line).to.contain("is no signer of this release: it sent");
        expect(stderr).not.to.contain("Request 1");
        expect(exit).to.equal(4);
      }
    });

    it("takes a question back where another comes beside it, as no signer asks", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "other.sock");
      const asked = (id: number) =>
        JSON.stringify({ event: "asked", question: { id, since: LATE, until: LATE, ...QUESTION } });
      const server = createServer((socket) =>
        socket.on("error", () => undefined).end(`{"event":"ready"}\n${asked(1)}\n${asked(2)}\n`),
      );
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const { code: exit, stderr } = await atTerminal(confirmCommand, ["--socket", path]);
      server.close();
      expect(stderr.replaceAll(/\s+/g, " ")).to.contain("is no signer of this release: it sent");
      expect(exit).to.equal(4);
    });

    it("keeps no more than a message of what is sent without an end, and is not held up by it", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "endless.sock");
      let sent = 0;
      const server = createServer((socket) => {
        const piece = "x".repeat(1024 * 1024);
        const send = () => {
          sent += 1;
          if (!socket.destroyed) socket.write(piece, send);
        };
        socket.on("error", () => undefined);
        socket.write('{"event":"ready"}\n', send);
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const { code: exit, stderr } = await atTerminal(confirmCommand, ["--once", "--socket", path]);
      server.close();
      expect(stderr.replaceAll(/\s+/g, " ")).to.contain(`it sent "${"x".repeat(60)}…"`);
      expect(sent).to.be.below(10);
      expect(exit).to.equal(4);
    });

    it("says that what listens there says nothing, and that one operator more than the signer takes is sent away", async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "silent.sock");
      const silent = createServer((socket) => socket.on("error", () => undefined));
      const connected = once(silent, "connection");
      await new Promise<void>((resolve) => silent.listen(path, resolve));
      using timers = fakeTimers();
      const outcome = atTerminal(confirmCommand, ["--socket", path]);
      await connected;
      await timers.tick(20_000);
      const { code: exit, stderr } = await outcome;
      silent.close();
      expect(stderr.replaceAll(/\s+/g, " ")).to.contain(`What listens at ${path} says nothing`);
      expect(exit).to.equal(11);

      await using signer = await desk();
      const others = await Promise.all(Array.from({ length: MOST_OPERATORS }, () => operatorAt(signer.path)));
      const ninth = await atTerminal(confirmCommand, ["--socket", signer.path]);
      for (const { connection } of others) connection.destroy();
      expect(ninth.stderr.replaceAll(/\s+/g, " ")).to.contain(
        "at once: 8 operators are connected already, or it stops.",
      );
      expect(ninth.code).to.equal(11);
    });

    it("says that the signer went while nobody was asked", async () => {
      const signer = await desk();
      const gone = () => {
        void signer[Symbol.asyncDispose]();
        return CTRL_U;
      };
      const session = await confirmInTerminal(signer.path, [], gone, []);
      expect(session.screen).to.match(
        /The signer closed the connection\. Start `npm run signer -- confirm` again\.\n$/,
      );
      expect(session.code).to.equal(11);
    });
  });

  it("finds the socket of the signer that was started here without settings", async () => {
    await using signer = await desk();
    const command = [process.execPath, ENTRY, "confirm"];
    await mkdir(join(signer.folder, ".tezos-signer"));
    const settings = {
      keys: { kind: "local", path: "keys" },
      watermarks: { kind: "sqlite", path: "watermarks.sqlite" },
      policy: {},
      confirmation: { socket: "../confirm.sock" },
    };
    await writeFile(join(signer.folder, ".tezos-signer/settings.yaml"), JSON.stringify(settings));
    const session = await inTerminal(command, [[/Waiting for signing requests/, CTRL_C]], {
      cwd: signer.folder,
      env: compiled(),
    });
    expect(session.screen).to.contain("Waiting for signing requests. Ctrl-C to quit.");
  });
});
