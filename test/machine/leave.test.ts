import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const SCRIPT = resolve(import.meta.dirname, "../../machine/bin/leave");

const alone = '{"ready":true,"balancer":null}';
const balanced = (left: boolean) => `{"ready":true,"balancer":{"askedAt":"…","left":${left}},"otherMachines":[]}`;

describe("what a machine does before it goes down", function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "leave-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /**
   * Runs the script where systemd is in a state, and the signer says one thing after the other, the last one for ever.
   * @returns what it did, in order
   */
  function leaves(state: string, ...statuses: readonly string[]): string[] {
    for (const [index, status] of statuses.entries()) writeFileSync(join(folder, `status-${index + 1}`), status);
    const programs = {
      systemctl: `[ "$1" = is-system-running ] && echo ${state} || echo "systemctl $*" >>"$folder/did"`,
      curl: `n=$(($(cat "$folder/asked" 2>/dev/null || echo 0) + 1)); [ -e "$folder/status-$n" ] && echo $n >"$folder/asked"
cat "$folder/status-$(cat "$folder/asked" 2>/dev/null)"`,
      sleep: `echo "sleep $*" >>"$folder/did"`,
    };
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const env = { PATH: `${folder}:${process.env.PATH}`, folder };
    expect(spawnSync(SCRIPT, [], { env, encoding: "utf8", timeout: 60_000 }).signal).to.equal(null);
    const did = join(folder, "did");
    return existsSync(did) ? readFileSync(did, "utf8").trim().split("\n") : [];
  }

  const SIGNAL = "systemctl kill --kill-whom=main --signal=SIGUSR2 tezos-signer.service";

  it("is to tell the signer, and to wait until the balancer has heard it", () => {
    expect(leaves("stopping", balanced(false), balanced(false), balanced(false), balanced(true))).to.deep.equal([
      SIGNAL,
      "sleep 1",
      "sleep 1",
    ]);
  });

  it("is over where the balancer asks no more, and after half a minute where it hears nothing", () => {
    expect(leaves("stopping", balanced(false), balanced(false), alone)).to.deep.equal([SIGNAL, "sleep 1"]);
    rmSync(join(folder, "did"));
    rmSync(join(folder, "asked"));
    rmSync(join(folder, "status-3"));
    expect(leaves("stopping", balanced(false), balanced(false))).to.deep.equal([SIGNAL, ...Array(30).fill("sleep 1")]);
  });

  it("is nothing where no balancer asks, where no signer answers, and where its unit alone is stopped", () => {
    expect(leaves("stopping", alone)).to.deep.equal([]);
    expect(leaves("running", balanced(false))).to.deep.equal([]);
    rmSync(join(folder, "status-1"));
    rmSync(join(folder, "asked"), { force: true });
    expect(leaves("stopping")).to.deep.equal([]);
  });
});
