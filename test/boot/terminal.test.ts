import { expect } from "chai";
import { PROMPTS, SHELL, Terminal } from "./terminal.ts";

describe("the terminal of a person in the boot test", () => {
  it("gives a command's lines as they are left on the screen, without the wheel that npm turned there", async () => {
    const terminal = await Terminal.open(SHELL, { ...PROMPTS, PATH: process.env.PATH });
    const wheel = String.raw`\342\240\231\033[1G\033[0K`;
    const { status, output } = await terminal
      .type([`printf '${wheel}${wheel}\\n> release\\n${wheel}Release  name\\n${wheel}'; (exit 3)`])
      .finally(() => terminal.close());
    expect({ status, output }).to.deep.equal({ status: 3, output: "\n> release\nRelease  name\n" });
  });

  it("leaves nothing of npm 9's bar either, and keeps a line whose rest alone was erased", async () => {
    const terminal = await Terminal.open(SHELL, { ...PROMPTS, PATH: process.env.PATH });
    const bar = String.raw`[###...] reify\033[0m\033[K\r`;
    const { output } = await terminal
      .type([String.raw`printf '${bar}${bar}\033[Kadded 9\033[K\n'`])
      .finally(() => terminal.close());
    expect(output).to.include("added 9").and.not.include("reify");
  });
});
