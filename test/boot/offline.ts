import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { sign } from "../emulators/octez-client.ts";
import { attestation } from "../fixtures/payloads.ts";
import { OPERATOR, OPERATOR_PERMISSIONS } from "../harness/operator-vault.ts";
import { type Ceremony, type Example, type Paper, RULES } from "./ceremony.ts";
import { makeDrives, offlineComputer, onlineComputer, putIn, RUN_COMMAND } from "./computers.ts";
import { BAKER, GATEWAY, MACHINE, type Machine } from "./machine.ts";
import { type Command, commandsOf, type Place } from "./page.ts";
import type { Answers, Terminal } from "./terminal.ts";
import { World } from "./world.ts";

/**
 * docs/keys.md as a reader follows it: its commands, in its order, in the places that it names. The offline computer has
 * no network, the online one a copy of the checkout and whatever Node.js is there, and the signer's machine is booted.
 */
const page = readFileSync(join(import.meta.dirname, "../../docs/keys.md"), "utf8");
const commands = commandsOf(page);

const EXAMPLES: Readonly<Record<Example, string>> = {
  release: /tezos-signer-[\w.]+-[0-9a-f]{12}\.tar/.exec(page)?.[0] ?? "",
  address: /tz3\w{33}/.exec(page)?.[0] ?? "",
  signature: /p2sig\w+/.exec(page)?.[0] ?? "",
  name: "--name baker",
};

describe("the offline key ceremony of docs/keys.md", () => {
  const paper: Paper = { ...EXAMPLES, sha256: "", passphrase: "", fingerprint: "", publicKey: "", kek: "" };
  const made: { readonly address: string; readonly publicKey: string }[] = [];
  const unused = new Set(RULES);
  let folder: string;
  let drives: string;
  let terminals: Readonly<Record<Place, Terminal>>;
  let machine: Machine;
  let ceremony: Ceremony;
  let versions: string;
  /** The first command that failed: what follows it would fail for that reason alone. */
  let broken: string | undefined;

  before(async () => {
    const world = await World.get();
    // The stack's outputs are what it tells the machine.
    const { keys, watermarks } = JSON.parse(world.imds.userData).settings;
    const { BOOT_DISKS: disks = "" } = process.env;
    folder = mkdtempSync(join(disks, "ceremony-"));
    drives = join(folder, "drives");
    makeDrives(drives);
    terminals = {
      offline: await offlineComputer(join(folder, "offline"), drives),
      online: await onlineComputer(folder, drives, {
        hosts: `${GATEWAY} ${new URL(keys.vault).hostname}\n`,
        authorities: world.vault.authority?.certificate ?? "",
        token: world.imds.tokens.issue(OPERATOR, "https://vault.azure.net", 3600).token,
      }),
    };
    machine = world.machine();
    // The emulated vault's authority is no public one, so a person's commands must be told of it, as the units are.
    machine.write("/etc/sudoers.d/trust", 'Defaults env_keep += "NODE_EXTRA_CA_CERTS"\n');
    machine.start(); // boots while the reader is busy
    ceremony = {
      paper,
      world,
      machine,
      offline: terminals.offline,
      runCommand: join(folder, "bin", RUN_COMMAND),
      vault: keys.vault,
      store: watermarks.storeId,
      letOperatorIn: (isIn) => world.vault.policies.grant(OPERATOR.objectId, isIn ? OPERATOR_PERMISSIONS : []),
      again: async (begins, answers) => {
        for (const command of commands.filter(({ title }) => title.startsWith(begins))) {
          await run(command, answers(ceremony));
        }
      },
    };
  });

  after(async () => {
    console.log(`  the online computer has Node.js and npm    ${versions}`);
    await Promise.all([terminals?.offline.close(), terminals?.online.close(), machine?.remove()]);
    execFileSync("umount", ["--lazy", join(folder, "offline/disk")]);
    rmSync(folder, { recursive: true });
  });

  /** Types a command, with what is on the paper in place of the page's examples. @returns what it shows */
  async function run({ place, lines }: Command, answers: Answers = []): Promise<string> {
    if (place === "offline") putIn(drives);
    const names = Object.keys(EXAMPLES) as Example[];
    const typed = lines.map((line) => names.reduce((text, name) => text.replaceAll(EXAMPLES[name], paper[name]), line));
    const { status, output } = await terminals[place].type(typed, answers);
    expect(status, output).to.equal(0);
    return output;
  }

  it("has an offline computer with no network and an ordinary user, and an online one with its own Node.js", async () => {
    const offline = await terminals.offline.type(["ls /sys/class/net; id --user --name"]);
    expect(offline.output).to.equal("lo\nuser\n");
    const online = await terminals.online.type(["node --version; npm --version"]);
    versions = online.output.trim().replace("\n", ", ");
    expect(versions).to.match(/^v\d+\.\S+, \d+\.\S+$/);
  });

  for (const command of commands) {
    const { place, title } = command;
    const rule = RULES.find(
      (each) => each.at === place && (each.insteadBecause ? title === each.command : title.startsWith(each.command)),
    );
    it(`${place}: ${title}${rule?.insteadBecause ? ` (not run: ${rule.insteadBecause})` : ""}`, async () => {
      if (broken !== undefined) throw new Error(`Not tried, since this failed before it: ${broken}`);
      broken = title;
      if (rule === undefined) {
        throw new Error(`test/boot/ceremony.ts has no rule for this command ${place}; write there what it does`);
      }
      unused.delete(rule);
      if (rule.insteadBecause === undefined) {
        await rule.before?.(ceremony);
        const output = await run(command, rule.answers?.(ceremony));
        await rule.after?.(output, ceremony);
        if (/ keys (?:generate|convert) /.test(title)) made.push({ ...paper });
      } else {
        const line = rule.instead?.(ceremony);
        if (line !== undefined) await run({ ...command, lines: [line] });
      }
      broken = undefined;
    });
  }

  it("ends with keys that the signer's machine signs with, each under the address on its paper", async () => {
    expect(made.length).to.equal(2);
    for (const { address, publicKey } of made) {
      const payload = attestation({ level: 60 }).toString("hex");
      const signature = await machine.until(`a signature of ${address}`, 90, async () => {
        const options = { localAddress: BAKER, retries: 0, signal: AbortSignal.timeout(5_000) };
        return (await sign(`http://${MACHINE}:6732`, address, payload, options).catch(() => undefined))?.signature;
      });
      expect(verifySignature(payload, publicKey, signature)).to.equal(true);
    }
  });

  it("has every command that the ceremony takes, and types each of its examples", () => {
    expect([...unused].map(({ command }) => command)).to.deep.equal([]);
    for (const [name, example] of Object.entries(EXAMPLES)) {
      expect(example, name).not.to.equal("");
      expect(
        commands.some(({ lines }) => lines.join("\n").includes(example)),
        name,
      ).to.equal(true);
    }
  });
});
