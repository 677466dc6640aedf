import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { Desk } from "../../../signer/cli/desk.ts";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import { ConfirmationSocket } from "../../../signer/confirmation/socket.ts";
import { described } from "../../harness/described.ts";
import { logLines } from "../../harness/log-lines.ts";
import { operatorAt } from "../../harness/operator.ts";

const NEVER = new AbortController().signal;
const question = { key: "tz3key", client: "203.0.113.7", digest: "aa", ...described };

describe("the operators' socket", () => {
  let folder: string;
  let path: string;
  let confirmations: Confirmations;
  let socket: ConfirmationSocket;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "confirm-"));
    path = join(folder, "confirm.sock");
    const { log } = logLines();
    confirmations = new Confirmations({ logger: log });
    socket = new ConfirmationSocket(confirmations, log);
  });
  afterEach(async () => {
    await socket.close();
    rmSync(folder, { recursive: true });
  });

  it("may be opened by its owner and their group alone, and goes when it is closed", async () => {
    await socket.open(path);
    expect((statSync(path).mode & 0o777).toString(8)).to.equal("660");
    await socket.close();
    expect(existsSync(path)).to.equal(false);
  });

  it("replaces one that a killed process left behind", async () => {
    const code = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["--eval", code])).to.throw();
    expect(statSync(path).isSocket()).to.equal(true);
    await socket.open(path);
    using operator = await operatorAt(path);
    expect(operator.connection.destroyed).to.equal(false);
  });

  it("takes nobody else's place, and says why it is not open", async () => {
    writeFileSync(path, "a file of somebody's");
    await socket.open(path);
    expect(socket.problem).to.match(/something else of that name is there, and is no socket/);
  });

  it("does not push aside a signer that listens there", async () => {
    const other = createServer().listen(path);
    await socket.open(path);
    expect(socket.problem).to.match(/another process/);
    other.close();
  });

  // Node.js takes such a text for the number of a TCP port, and would listen on every address of the computer.
  for (const name of ["29583", "0", "1e4", "0x739f", " 29583"]) {
    it(`is a file also where its name is ${JSON.stringify(name)}, and \`confirm\` finds it there`, async () => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        await socket.open(name);
        expect(socket.problem).to.equal(undefined);
        expect(statSync(join(folder, name)).isSocket()).to.equal(true);
        using desk = await Desk.open(name);
        expect(desk).to.be.instanceOf(Desk);
        await socket.close();
      } finally {
        process.chdir(before);
      }
    });
  }

  it("says in words that its path is too long for a socket, at both ends", async () => {
    const long = join(folder, "n".repeat(120));
    const said = "its path is too long for a socket, which has 107 bytes at most";
    await socket.open(long);
    expect(socket.problem).to.equal(`Nobody can connect to confirm requests at ${long}: ${said}.`);
    const failure = await Desk.open(long).catch((error) => error);
    expect(failure).to.include({ exit: "unusable", message: `No signer can listen at ${long}: ${said}.` });
  });

  it("says why it is not open where its folder is missing, and ends no process", async () => {
    await socket.open(join(folder, "missing", "confirm.sock"));
    expect(socket.problem).to.match(
      /^Nobody can connect to confirm requests at \S+missing\/confirm\.sock: (no such file or directory|permission denied)\.$/,
    );
  });

  it("brings a question whole whose text has what ends a line or steers a terminal for others", async () => {
    await socket.open(path);
    using operator = await operatorAt(path);
    const forged = JSON.stringify({ event: "withdrawn", id: 1, reason: "forged" });
    const text = `\u2028${forged}\u2029${forged}\u0085\u009b\r\n`;
    const asked = confirmations.ask(
      { ...question, sections: [{ title: "t", fields: [{ label: "l", value: text }] }] },
      NEVER,
    );
    expect((await operator.next("asked")).question.sections[0]?.fields[0]?.value).to.equal(text);
    operator.answer({ id: 1, confirm: true });
    await asked;
  });

  it("drops whoever sends what is no answer, and goes on", async () => {
    await socket.open(path);
    for (const nonsense of ["{}\n", "yes\n", '{"id":1,"confirm":"yes"}\n', "x".repeat(100_000)]) {
      const stranger = connect(path);
      const closed = new Promise((resolve) => stranger.on("error", () => undefined).on("close", resolve));
      stranger.resume().write(nonsense);
      await closed;
    }
    using operator = await operatorAt(path);
    const asked = confirmations.ask(question, NEVER);
    operator.answer({ id: (await operator.next("asked")).question.id + 7, confirm: true });
    expect((await operator.next("acknowledged")).accepted).to.equal(false);
    operator.answer({ id: 1, confirm: true });
    expect((await operator.next("acknowledged")).accepted).to.equal(true);
    await asked;
  });

  it("keeps nothing of a line without an end, however it comes, and goes on with the next operator", async () => {
    await socket.open(path);
    const endless = ["x", "\n", "\xff", '{"id":1,"confirm":true,"more":"'].map((start) => [start, "x".repeat(60_000)]);
    for (const pieces of [...endless, Array(5_000).fill("x")]) {
      const stranger = connect(path);
      const closed = new Promise((resolve) => stranger.on("error", () => undefined).on("close", resolve));
      stranger.resume();
      for (const piece of pieces) if (!stranger.destroyed) await new Promise((sent) => stranger.write(piece, sent));
      await closed;
    }
    using operator = await operatorAt(path);
    expect(operator.connection.destroyed).to.equal(false);
  });

  it("keeps an operator who reads slowly, and loses none of what waits, whatever clients ask and take back", async () => {
    await socket.open(path);
    using operator = await operatorAt(path);
    operator.connection.pause();
    const long = { ...question, summary: { ...question.summary, long: "x".repeat(100_000) } };
    for (let count = 0; count < 100; count += 1) {
      const client = new AbortController();
      const asked = confirmations.ask({ ...long, digest: `${count}` }, client.signal).catch(({ code }) => code);
      await setImmediate();
      client.abort();
      expect(await asked).to.equal("operator-timeout");
    }
    const asked = confirmations.ask({ ...question, digest: "good" }, NEVER);
    await setImmediate();
    operator.connection.resume();
    let last = await operator.next("asked");
    while (last.question.digest !== "good") last = await operator.next("asked");
    operator.answer({ id: last.question.id, confirm: true });
    await asked;
  });

  it("refuses what waits when the only operator's connection breaks", async () => {
    await socket.open(path);
    const operator = await operatorAt(path);
    const asked = confirmations.ask(question, NEVER).catch(({ code }) => code);
    await operator.next("asked");
    operator.connection.destroy();
    expect(await asked).to.equal("operator-absent");
  });

  it("outlives an operator whose connection fails in the middle of a question", async () => {
    await socket.open(path);
    const { connection } = await operatorAt(path);
    // The signer writes to a connection that is gone already, which it does not know yet.
    connection.destroy();
    const asked = confirmations.ask(question, NEVER).catch(({ code }) => code);
    expect(await asked).to.equal("operator-absent");
    using another = await operatorAt(path);
    expect(another.connection.destroyed).to.equal(false);
  });

  it("works under Node's permission model, as the machine's unit starts it", () => {
    const root = new URL("../../../", import.meta.url).pathname;
    const code = `
      const { Confirmations } = await import("${root}signer/confirmation/confirmations.ts");
      const { ConfirmationSocket } = await import("${root}signer/confirmation/socket.ts");
      const logger = { info() {}, error: console.log };
      const socket = new ConfirmationSocket(new Confirmations({ logger }), logger);
      await socket.open(process.argv[1]);
      console.log(socket.problem ?? "open");
      await socket.close();`;
    const allow = [root, realpathSync(`${root}node_modules`)].map((path) => `--allow-fs-read=${path}`);
    allow.push(`--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`);
    const args = ["--permission", ...allow, "--input-type=module", "--eval", code, path];
    expect(execFileSync(process.execPath, args, { encoding: "utf8" })).to.equal("open\n");
  });
});
