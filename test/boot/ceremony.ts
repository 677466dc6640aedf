/**
 * What a reader does at each command of docs/keys.md: what is asked and answered, what is seen, and what is written down.
 * @module
 */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { shownPassphrase } from "../harness/keys-terminal.ts";
import type { Machine } from "./machine.ts";
import type { Place } from "./page.ts";
import type { Answers, Terminal } from "./terminal.ts";
import type { World } from "./world.ts";

/** What the page shows as an example, and every reader has another of. */
export type Example = "release" | "address" | "signature" | "name";

/** What the reader has written down: the examples' own, and what the paper form asks for. */
export type Paper = Record<Example | "sha256" | "passphrase" | "fingerprint" | "publicKey" | "kek", string>;

/** What a rule may reach. */
export interface Ceremony {
  readonly paper: Paper;
  readonly world: World;
  readonly machine: Machine;
  readonly offline: Terminal;
  /** The file with the words of the last `az vm run-command`. */
  readonly runCommand: string;
  /** What the stack says of itself. */
  readonly vault: string;
  readonly store: string;
  /** Lets the operator into the vault, or no longer. */
  letOperatorIn(isIn: boolean): void;
  /** Runs a command of the page once more. @param begins how it begins */
  again(begins: string, answers: (ceremony: Ceremony) => Answers): Promise<void>;
}

export interface Rule {
  readonly at: Place;
  /** How the command begins; all of it where it is not run. */
  readonly command: string;
  /** Why it is not run as it stands. */
  readonly insteadBecause?: string;
  /** What is done in its place; what it returns is typed. */
  readonly instead?: (ceremony: Ceremony) => string | undefined;
  readonly answers?: (ceremony: Ceremony) => Answers;
  /** Comes before it, as the page says in words. */
  readonly before?: (ceremony: Ceremony) => Promise<void>;
  /** What the reader sees, and writes down. */
  readonly after?: (output: string, ceremony: Ceremony) => void | Promise<void>;
}

const PERSON = "a person says that to Azure";
const OLD_PASSPHRASE = "an old passphrase of sixteen bytes";

/** One value of the tables that commands print. */
function row(output: string, label: string): string {
  return new RegExp(`^ *${label} +(\\S.*)$`, "m").exec(output)?.[1] ?? "";
}

const wroteDown = (): Answers => [
  [/hide it\. $/, ""],
  [/from the paper: $/, shownPassphrase],
];
const opens = ({ paper }: Ceremony): Answers => [[/typed from the paper: $/, paper.passphrase]];
const opensslOpens = ({ paper }: Ceremony): Answers => [[/pass ?phrase.*:$/, paper.passphrase]];
const wraps = (ceremony: Ceremony): Answers => [[/groups of 4\): $/, ceremony.paper.kek], ...opens(ceremony)];
const imports = (history: "new" | "elsewhere") => (): Answers => [
  [/on the paper\? \[y\/N\] $/, "y"],
  [/"elsewhere" if it did: $/, history],
];

export const RULES: readonly Rule[] = [
  notRun("npm ci", "no registry here: this checkout's own packages are mounted"),
  {
    at: "online",
    command: "npm run release",
    after: (output, { paper, world }) => {
      paper.release = row(output, "Release");
      paper.sha256 = row(output, "SHA-256");
      expect(paper.release, "the machine's release").to.equal(world.release.name);
    },
  },
  { at: "online", command: "DRIVE=" },
  { at: "online", command: "cp .release/" },
  { at: "offline", command: "DRIVE=" },
  { at: "offline", command: "cat /proc/swaps" },
  {
    at: "offline",
    command: "sha256sum ",
    after: (output, { paper }) => {
      expect(output).to.equal(`${paper.sha256}  /media/user/TRANSPORT/${paper.release}\n`);
    },
  },
  { at: "offline", command: "tar xf ", after: printsNothing },
  { at: "offline", command: "./tezos-signer-*/unpack", after: printsNothing },
  { at: "offline", command: "cd tezos-signer-*/ && PATH=" },
  {
    at: "offline",
    command: "tezos-signer keys generate ",
    answers: wroteDown,
    after: (output, { paper }) => {
      expect(output).not.to.include("WARNING");
      paper.passphrase = shownPassphrase(output);
      paper.address = row(output, "Address");
      paper.publicKey = row(output, "Public key");
      paper.fingerprint = row(output, "Fingerprint");
      expect(row(output, "File")).to.equal(`${paper.address}.pem`);
    },
  },
  { at: "offline", command: "cp tz3" },
  {
    at: "offline",
    command: "tezos-signer keys check /media/",
    answers: opens,
    after: (output, { paper }) => {
      expect(row(output, "Address")).to.equal(paper.address);
      expect(row(output, "Fingerprint")).to.equal(paper.fingerprint);
    },
  },
  { at: "offline", command: "openssl ec ", answers: opensslOpens },
  {
    at: "offline",
    command: "openssl pkey ",
    answers: opensslOpens,
    after: (output, { paper }) => {
      const first = /^([0-9a-f]{32})[0-9a-f]{32} {2}-$/m.exec(output)?.[1];
      expect(first).to.equal(paper.fingerprint.replaceAll(" ", ""));
    },
  },
  notRun("az login", PERSON),
  notRun('pulumi config set --path keyImporter.objectId "$(az ad signed-in-user show --query id -o tsv)"', PERSON),
  notRun("pulumi config set --path keyImporter.ip 203.0.113.20", PERSON),
  notRun("npm run up", "the emulated vault lets the operator in, and the second time no longer", (ceremony) => {
    ceremony.letOperatorIn(ceremony.paper.kek === "");
    return undefined;
  }),
  notRun("VAULT=$(pulumi stack output vaultUri)", "no stack: the emulated vault's address", ({ vault }) => {
    return `VAULT=${vault}`;
  }),
  notRun("STORE=$(pulumi stack output watermarkStoreId)", "no stack: what the machine is told", ({ store }) => {
    return `STORE=${store}`;
  }),
  notRun("GROUP=$(pulumi stack output resourceGroup)", "no stack: a name", () => "GROUP=tezos-signer-mainnet"),
  {
    at: "online",
    command: "npm run --silent signer -- keys kek create ",
    after: (output, { paper }) => {
      paper.kek = row(output, "Fingerprint");
      expect(paper.kek).to.match(/^(?:[0-9a-f]{4} ?){8}$/);
    },
  },
  {
    at: "online",
    command: "npm run --silent signer -- keys kek show ",
    after: (output, { paper }) => {
      expect(row(output, "Fingerprint")).to.equal(paper.kek);
    },
  },
  { at: "offline", command: "tezos-signer keys wrap ", answers: wraps },
  {
    at: "online",
    command: "npm run --silent signer -- keys import ",
    answers: imports("new"),
    after: (output, { paper, store }) => {
      expect(output).to.include(`This is the key of\n  ${paper.address}\n`);
      expect(row(output, "Watermark store")).to.equal(store);
    },
  },
  {
    at: "online",
    command: "npm run --silent signer -- keys list ",
    after: (output, { paper, store }) => {
      const lines = output.slice(output.indexOf(paper.address));
      expect(row(lines, "key id")).to.include("/keys/baker/");
      expect(row(lines, "protection")).to.include("HSM");
      expect(row(lines, "operations")).to.equal("sign");
      expect(row(lines, "watermark store")).to.equal(store);
    },
  },
  notRun("pulumi config rm keyImporter", PERSON),
  {
    at: "offline",
    command: "tezos-signer keys drill sign ",
    answers: opens,
    after: (output, { paper }) => {
      paper.signature = /^p2sig\w+$/m.exec(output)?.[0] ?? "";
    },
  },
  {
    // The `az` of computers.ts keeps what Azure would hand to the machine's root.
    at: "online",
    command:
      "az vm run-command invoke --resource-group \"$GROUP\" --name signer --command-id RunShellScript --query 'value[0].message' --output tsv --scripts ",
    before: ({ machine }) => machine.says("tezos-signer: ready", 180),
    after: async (_, { paper, machine, runCommand }) => {
      const words = readFileSync(runCommand, "utf8").split("\0");
      const script = words[words.indexOf("--scripts") + 1] ?? "";
      for (const command of [script, `sudo ${script}`]) {
        const { status, output } = await machine.run(`export NODE_EXTRA_CA_CERTS=/etc/ssl/emulated.pem; ${command}`);
        expect(status, output).to.equal(0);
        expect(row(output, "Address")).to.equal(paper.address);
      }
    },
  },
  {
    at: "offline",
    command: "tezos-signer keys convert secp256k1_sk.pem",
    before: async ({ offline }) => {
      const made = "openssl ecparam -genkey -name secp256k1 | openssl ec -aes256 -out secp256k1_sk.pem";
      const { status, output } = await offline.type([made], [[/pass ?phrase.*:$/, OLD_PASSPHRASE]]);
      expect(status, output).to.equal(0);
    },
    answers: () => [[/typed from the paper: $/, OLD_PASSPHRASE], ...wroteDown()],
    after: (output, { paper }) => {
      paper.passphrase = shownPassphrase(output);
      paper.address = row(output, "Address");
      paper.publicKey = row(output, "Public key");
      paper.name = "--name second-baker";
      expect(paper.address).to.match(/^tz2/);
    },
  },
  {
    at: "online",
    command: "npm run --silent signer -- keys bind ",
    before: async ({ again, letOperatorIn }) => {
      letOperatorIn(true);
      await again("tezos-signer keys wrap ", wraps);
      await again("npm run --silent signer -- keys import ", imports("elsewhere"));
    },
    answers: ({ paper }) => [
      [/stopped for good\? \[y\/N\] $/, "y"],
      [/or did it never sign\? \[y\/N\] $/, "y"],
      [/characters of the address: $/, paper.address.slice(-6)],
    ],
    after: (output, { store }) => {
      expect(row(output, "Watermark store")).to.equal(store);
    },
  },
];

/** A command that takes an account, a person or a registry. */
function notRun(
  command: string,
  insteadBecause: string,
  instead: (ceremony: Ceremony) => string | undefined = () => undefined,
): Rule {
  return { at: "online", command, insteadBecause, instead };
}

function printsNothing(output: string): void {
  expect(output).to.equal("");
}
