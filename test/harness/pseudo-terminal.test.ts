import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { inTerminal } from "./pseudo-terminal.ts";
import { requires } from "./requires.ts";

describe("the tests' terminal", () => {
  it("takes an answer that comes after the program's end", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    const late = () => {
      spawnSync("sleep", ["0.5"]);
      return "too late";
    };
    const { code, screen } = await inTerminal(["sh", "-c", "printf 'ready? '; exit 3"], [[/ready\? $/, late]]);
    expect({ code, screen }).to.deep.equal({ code: 3, screen: "ready? " });
  });
});
