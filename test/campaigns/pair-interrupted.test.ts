import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { requires } from "../harness/requires.ts";

/** Of all processes those that live, their numbers, and the numbers of their parents. */
function living(): { readonly pid: number; readonly parent: number }[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,stat="], { encoding: "utf8" }).trim().split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, state = ""] = line.trim().split(/\s+/);
    return state.startsWith("Z") ? [] : [{ pid: Number(pid), parent: Number(parent) }];
  });
}

describe("npm run test:pair", function () {
  this.timeout(120_000);

  it("leaves no place of the kernel's, no process and no folder where it is interrupted, and says what it does", async function () {
    requires(this, process.getuid?.() === 0 && hasProgram("nft") && hasProgram("ip"), "not root, or no nft or ip");
    await using folder = await temporaryFolder();
    const env = { ...process.env, TMPDIR: folder.path };
    const child = spawn(process.execPath, [join(import.meta.dirname, "pair.ts")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      // Then the balancer's process, the baker's and both signers' are there.
      if (line.startsWith("1 of 3: ")) break;
    }
    const exited = once(child, "exit");
    const places = () => execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
    const links = () => execFileSync("ip", ["link", "show", "type", "bridge"], { encoding: "utf8" });
    const own = living().filter(({ parent }) => parent === child.pid);
    expect(own, said.join("\n")).to.have.length(5); // Azurite, both signers, the balancer and the baker
    expect(places()).to.include(`pair-${child.pid}-first`);
    child.kill("SIGINT");
    expect(await exited).to.deep.equal([130, null]);
    expect(said).to.deep.equal([
      "waiting until the balancer sends to both machines",
      "1 of 3: kill -9, while it reserves a position",
    ]);
    const left = () => own.filter(({ pid }) => living().some((one) => one.pid === pid));
    while (left().length > 0) await sleep(20);
    expect(places()).not.to.include(`pair-${child.pid}-`);
    expect(links()).not.to.include(`pair${child.pid}:`);
    expect(readdirSync("/etc/netns").filter((name) => name.includes(`-${child.pid}-`))).to.deep.equal([]);
    expect(readdirSync(folder.path)).to.deep.equal([]);
  });
});
