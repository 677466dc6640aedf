import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { program } from "../../signer/cli/program.ts";
import { runCommandLine } from "../../signer/cli/run.ts";
import { Confirmations } from "../../signer/confirmation/confirmations.ts";
import { IN_CHECKOUT, ownCommand, PROGRAM, programIn } from "../../signer/own-command.ts";
import { logLines } from "../harness/log-lines.ts";

describe("the program's own commands", () => {
  it("are called through npm in a checkout, and by name in a release, which has a MANIFEST", () => {
    const folder = mkdtempSync(join(tmpdir(), "own-command-"));
    try {
      expect(programIn(folder)).to.equal(IN_CHECKOUT);
      writeFileSync(join(folder, "MANIFEST"), "");
      expect(programIn(folder)).to.equal(PROGRAM);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(ownCommand("confirm")).to.equal("npm run signer -- confirm");
  });

  for (const called of [PROGRAM, IN_CHECKOUT]) {
    it(`are called \`${called}\` in usage, examples and advice of the help`, async () => {
      const stdout = new PassThrough({ encoding: "utf8" });
      const stderr = new PassThrough({ encoding: "utf8" });
      const io = { stdin: new PassThrough(), stdout, stderr, env: {} };
      await runCommandLine(await program(io, "confirm", called), ["confirm", "--help"], io);
      expect(stdout.read())
        .to.include(`Usage: ${called} confirm [options]`)
        .and.to.include(`\n  ${called} confirm --once`);
      await runCommandLine(await program(io, "confirm", called), ["confirm", "--nothing"], io);
      expect(stderr.read()).to.include(`(for help: ${called} confirm --help)`);
    });
  }

  it("are named in the answer to a client whose request waits for a person who is not there", async () => {
    const confirmations = new Confirmations({ logger: logLines().log });
    const question = { key: "tz3", client: "127.0.0.1", digest: "00" } as Parameters<Confirmations["ask"]>[0];
    const refusal = await confirmations.ask(question, new AbortController().signal).catch((error: Error) => error);
    expect(String(refusal)).to.include("run `npm run signer -- confirm` on the signer's machine first, then ask again");
  });
});
