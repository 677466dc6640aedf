import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const HOST = fileURLToPath(import.meta.resolve("../../emulators/azure-resource-manager/language-host.ts"));

/** Starts the host as Pulumi does, in a process group of its own, and tells its process once it serves. */
const PULUMI = `
const host = require("node:child_process").spawn(process.execPath, [process.argv[1], "127.0.0.1:1"], { detached: true });
host.stdout.once("data", () => console.log(host.pid));
`;

describe("the stand-in for Pulumi's language host", function () {
  this.timeout(60_000);

  it("ends with the Pulumi that started it, also where that is killed", async () => {
    const pulumi = spawn(process.execPath, ["-e", PULUMI, HOST], { stdio: ["ignore", "pipe", "inherit"] });
    const [pid] = await once(pulumi.stdout, "data");
    pulumi.kill("SIGKILL");
    while (runs(Number(pid))) await pause(50);
  });
});

/** Nobody may have asked yet how it ended: then it is a zombie. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
