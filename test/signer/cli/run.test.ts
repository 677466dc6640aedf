import { expect } from "chai";
import { Command } from "commander";
import { program } from "../../../signer/cli/program.ts";
import { watermarksCommand } from "../../../signer/cli/watermarks/index.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";

describe("a command line", () => {
  const make = (io: Parameters<typeof watermarksCommand>[0]) =>
    new Command("tezos-signer").addCommand(watermarksCommand(io));

  it("shows with `help watermarks import` the help of import, as with --help", async () => {
    const [help, asked] = await Promise.all([
      atTerminal(make, ["help", "watermarks", "import"], null),
      atTerminal(make, ["watermarks", "import", "--help"], null),
    ]);
    expect(help.code).to.equal(0);
    expect(help.stdout)
      .to.equal(asked.stdout)
      .and.match(/^Usage: \S+ watermarks import /);
    expect((await atTerminal(make, ["help", "watermarks"], null)).stdout).to.match(/^Usage: \S+ watermarks \[/);
  });

  it("tells its version, and the Node.js that it runs on", async () => {
    const all = await program(process, "status");
    const { stdout } = await atTerminal(() => all, ["--version"], null);
    expect(stdout).to.match(/^\d+\.\d+\.\d+, on Node\.js v\d+\.\d+\.\d+\n$/);
  });
});
