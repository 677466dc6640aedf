import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { hasProgram } from "../../emulators/has-program.ts";
import { sign } from "../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation, preattestation } from "../../fixtures/payloads.ts";
import { writeLocalKey } from "../../harness/local-key.ts";
import { requires } from "../../harness/requires.ts";

const ENTRY = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");
const CONFIG = ["--config", "settings.yaml"];

function settings(changed: object = {}): string {
  return JSON.stringify({
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
    ...changed,
  });
}

describe("serve, started by hand", function () {
  this.timeout(60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeLocalKey(join(folder.path, "keys"));
    await writeFile(join(folder.path, "settings.yaml"), settings());
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const file = (name: string) => join(folder.path, name);
  const start = (env = {}) => startSignerProcess(folder.path, CONFIG, env);
  const ask = async ({ url, addresses }: SignerProcess, payload: Buffer) =>
    (await sign(url, addresses[0] ?? "", payload.toString("hex"))).status;
  const logged = async ({ log, child }: SignerProcess, text: string) => {
    while (!log.some(({ msg }) => String(msg).includes(text))) {
      if (child.signalCode !== null) throw new Error(`ended by ${child.signalCode}`);
      await sleep(20);
    }
  };

  it("signs on through SIGUSR2, by which the machine says that it goes down, where no balancer asks", async () => {
    await using signer = await start();
    signer.child.kill("SIGUSR2");
    signer.child.kill("SIGHUP"); // taken after the other one
    await logged(signer, "SIGHUP");
    expect(await ask(signer, attestation({ level: 5 }))).to.equal(200);
  });

  for (const [title, before] of [
    ["", ""],
    [
      ", nor keeps one that a signal before its first line has opened",
      `import { url } from "node:inspector";
       process.kill(process.pid, "SIGUSR1");
       while (url() === undefined) await new Promise((turn) => setTimeout(turn, 5));`,
    ],
  ] as const) {
    it(`opens no debugger on SIGUSR1, and signs on${title}`, async () => {
      const port = 20_000 + (process.pid % 10_000);
      const preloaded = `--import=data:text/javascript,${encodeURIComponent(before)}`;
      await using signer = await start({ NODE_OPTIONS: `--inspect-port=${port} ${preloaded}` });
      let said = "";
      signer.child.stderr?.on("data", (chunk) => (said += chunk));
      signer.child.kill("SIGUSR1");
      signer.child.kill("SIGHUP"); // taken after the other one
      await logged(signer, "SIGHUP");
      expect(await ask(signer, attestation({ level: 5 }))).to.equal(200);
      expect(said).not.to.include("Debugger listening");
      const socket = connect(port, "127.0.0.1");
      const found = await new Promise((resolve) => {
        socket.once("connect", () => resolve("open")).once("error", () => resolve("shut"));
      });
      socket.destroy();
      expect(found).to.equal("shut");
    });
  }

  it("does not end on SIGHUP: it reads its settings again, and keeps those that it has where the new ones are wrong", async () => {
    await using signer = await start();
    const refusal = async () => {
      const status = (await (await fetch(`${signer.adminUrl}/status`)).json()) as { settings: { refused: string } };
      return status.settings.refused;
    };
    expect(await ask(signer, preattestation({ level: 5 }))).to.equal(403);
    await writeFile(file("settings.yaml"), settings({ policy: { default: { allow: ["preattestation"] } } }));
    signer.child.kill("SIGHUP");
    await logged(signer, "new settings are in use");
    expect(await ask(signer, preattestation({ level: 5 }))).to.equal(200);

    await writeFile(file("settings.yaml"), settings({ colour: "blue" }));
    signer.child.kill("SIGHUP");
    await logged(signer, "colour: there is no such setting");
    expect(await refusal()).to.include("colour: there is no such setting");

    await writeFile(file("settings.yaml"), settings({ listen: { port: 0, host: "127.0.0.2" } }));
    signer.child.kill("SIGHUP");
    await logged(signer, "only a new process takes");
    expect(await refusal()).to.include("only a new process takes: restart it");

    await rm(file("settings.yaml"));
    signer.child.kill("SIGHUP");
    await logged(signer, "no such file or directory");
    expect(await refusal()).to.equal("The settings cannot be read: settings.yaml: no such file or directory.");
    expect(await ask(signer, preattestation({ level: 6 }))).to.equal(200);
    expect(await signer.end("SIGTERM")).to.equal(0);
  });

  it("signs on when its terminal is gone, to which nothing can be written any more", async function () {
    requires(this, hasProgram("script"), "script(1) of util-linux makes the terminal");
    await writeFile(file("settings.yaml"), settings({ listen: { port: 0, host: "127.0.0.1" } }));
    const words = `echo $$ > pid; exec '${process.execPath}' '${ENTRY}' serve --log json ${CONFIG.join(" ")}`;
    const terminal = spawn("script", ["--quiet", "--command", words, "/dev/null"], {
      cwd: folder.path,
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    let shown = "";
    terminal.stdout.on("data", (chunk) => (shown += chunk));
    const told = () => /"url":"(http:[^"]+)".*"keys":\["(tz\w+)"/.exec(shown.replaceAll(/\s+/g, ""));
    while (told() === null) await sleep(20);
    const [, url = "", address = ""] = told() ?? [];
    const pid = Number(await readFile(file("pid"), "utf8"));
    try {
      terminal.kill("SIGKILL");
      await once(terminal, "exit");
      for (const level of [5, 6, 7]) {
        const { status } = await sign(url, address, attestation({ level }).toString("hex"));
        expect(status).to.equal(200);
      }
    } finally {
      process.kill(pid, "SIGKILL");
    }
  });

  it("leaves no memory in a core file when it crashes, though the shell allows one", async function () {
    requires(this, process.platform === "linux" && hasProgram("prlimit"), "prlimit of Linux sets the limit");
    const own = execFileSync("prlimit", ["--pid", `${process.pid}`, "--core", "--output=SOFT,HARD", "--noheadings"], {
      encoding: "utf8",
    });
    const limit = (value: string) => execFileSync("prlimit", ["--pid", `${process.pid}`, `--core=${value}`]);
    requires(this, process.getuid?.() === 0, "only root raises the limit on core files");
    limit("unlimited:unlimited");
    try {
      await using signer = await start();
      const limits = await readFile(`/proc/${signer.child.pid}/limits`, "utf8");
      expect(limits).to.match(/^Max core file size +0 +0 /m);
      expect(await readFile(`/proc/${signer.child.pid}/coredump_filter`, "utf8")).to.match(/^0+\n$/);
      expect(await signer.end("SIGSEGV")).to.equal("SIGSEGV");
      expect((await readdir(folder.path)).filter((name) => name.startsWith("core"))).to.deep.equal([]);
    } finally {
      limit(own.trim().split(/\s+/).join(":"));
    }
  });
});
