import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { EXAMPLE_CLIENT } from "../../../infra/config/example-client.ts";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { QUESTIONS } from "../../../infra/setup/questions.ts";
import { setUp, WrongAnswer } from "../../../infra/setup/setup.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { compiled, inTerminal } from "../../harness/pseudo-terminal.ts";
import { rejection } from "../../harness/rejection.ts";
import { requires } from "../../harness/requires.ts";

const root = resolve(import.meta.dirname, "../../..");
const NOW = Date.parse("2026-11-29T10:20:00Z");
/** A key that is in no example; its 32 bytes are of a public vector's. */
const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";
const SSH = EXAMPLE_SSH_KEY.replace("example", "mine");

const TEST = { kind: "test", stack: "try", network: "", location: "northeurope", "baker-ip": "20.50.1.2" };
const ANSWERS = { ...TEST, "client-key": "", "ssh-key": SSH };

describe("npm run setup", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "setup-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const options = () => ({ folder, change: false, now: NOW });
  /** Where a stack's file lies, in a folder that is made. */
  const place = (stack: string) => {
    mkdirSync(join(folder, "stacks"), { recursive: true });
    return join(folder, "stacks", `Pulumi.${stack}.yaml`);
  };
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  const byOptions = (given: Readonly<Record<string, string>>, more = {}) =>
    setUp({ given, say: () => undefined, ask: undefined }, { ...options(), ...more });

  /** A person who answers each prompt with the next of its answers. */
  function person(answers: Readonly<Record<string, readonly string[]>>, given = {}) {
    const said: string[] = [];
    const left = Object.fromEntries(Object.entries(answers).map(([prompt, all]) => [prompt, [...all]]));
    const ask = async (prompt: string) => {
      said.push(prompt);
      const next = Object.entries(left)
        .find(([begin]) => prompt.startsWith(begin))?.[1]
        .shift();
      if (next === undefined) throw new Error(`not answered: ${prompt}`);
      return next;
    };
    return { said, asker: { given, say: (line: string) => void said.push(line), ask } };
  }

  it("writes a test stack's file from options alone, for a key that the HSM makes", async () => {
    expect(await byOptions(ANSWERS)).to.deep.equal({ stack: "try", file: "stacks/Pulumi.try.yaml" });
    expect(file("stacks/Pulumi.try.yaml").split("\n")).to.include.members([
      "# Made by `npm run setup`. docs/change.md says what each change does.",
      "config:",
      "  tezos-signer:location: northeurope",
      "  tezos-signer:bakerIp: 20.50.1.2",
      "  tezos-signer:production: false",
      "    - NetXsqzbfFenSTS",
      "      source: generate",
    ]);
    expect(readdirSync(join(folder, "stacks"))).to.deep.equal(["Pulumi.try.yaml"]);
  });

  it("writes a production stack's file, which begins within twelve hours and is watched", async () => {
    await byOptions({
      ...ANSWERS,
      kind: "production",
      stack: "mainnet",
      "client-key": CLIENT,
      "first-level": "9123456",
      "alert-email": "baker@example.org",
    });
    const text = file("stacks/Pulumi.mainnet.yaml");
    for (const line of ["NetXdQprcVkpaWU", "level: 9123456", "until: 2026-11-29T22:00:00Z", "monitoring: true", CLIENT])
      expect(text).to.include(line);
    expect(text).not.to.include("generate");
  });

  it("explains each question, says what is wrong with an answer, and asks it again", async () => {
    const { said, asker } = person({
      "test or production": ["tset", "test"],
      "The stack's name": ["a b", ""],
      Network: [""],
      "Azure's region": ["nrtheurope", "northeurope"],
      "The baker's address": ["10.0.0.4", "20.50.1.2"],
      "The public key": ["edsk", ""],
      "Your SSH": ["/nowhere.pub", SSH],
    });
    expect((await setUp(asker, options())).stack).to.equal("test");
    const screen = said.join("\n");
    for (const question of QUESTIONS.filter(({ isAsked }) => isAsked === undefined))
      expect(screen).to.include(question.why.join("\n"));
    expect(screen).to.match(/nrtheurope is not a region's identifier[^\n]*northeurope/);
    expect(screen).to.match(/ {2}10\.0\.0\.4 .*private/);
    expect(screen).to.include("/nowhere.pub cannot be read (ENOENT)");
  });

  it("asks once more what does not fit the other answers", async () => {
    const given = {
      ...ANSWERS,
      kind: "production",
      "client-key": EXAMPLE_CLIENT,
      "first-level": "",
      "alert-email": "",
    };
    const { said, asker } = person({ "The public key": [CLIENT] }, given);
    await setUp(asker, options());
    expect(said.join("\n")).to.include("a production stack needs the key of its own client");
    expect(file("stacks/Pulumi.try.yaml")).to.include(CLIENT).and.not.to.include(EXAMPLE_CLIENT);
  });

  it("writes nothing where an option is wrong, missing, or for another kind of stack", async () => {
    const { location: _, ...without } = ANSWERS;
    const wrong: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ ...ANSWERS, "baker-ip": "0.0.0.0/0" }, /^--baker-ip: /],
      [without, /^--location is missing/],
      [{ ...ANSWERS, "first-level": "9" }, /^--first-level is for production/],
      [{ ...ANSWERS, stack: "../x" }, /^--stack: .*slash/],
    ];
    for (const [given, message] of wrong) {
      const error = await rejection(byOptions(given), WrongAnswer);
      expect(error.message).to.match(message);
    }
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("says in words that a stack's file cannot be read or written", async () => {
    mkdirSync(place("try"));
    const unread = await rejection(byOptions(ANSWERS), WrongAnswer);
    expect(unread.message).to.match(/Pulumi\.try\.yaml cannot be read \(EISDIR\)$/);
    rmSync(join(folder, "stacks"), { recursive: true });
    symlinkSync(join(folder, "nowhere"), join(folder, "stacks"));
    const unwritten = await rejection(byOptions(ANSWERS), WrongAnswer);
    expect(unwritten.message).to.match(/Pulumi\.try\.yaml cannot be written \(\w+\)$/);
    expect(readdirSync(folder)).to.deep.equal(["stacks"]);
  });

  it("changes a file that is there only where that is wanted, and keeps in it what is not asked", async () => {
    const there =
      "# mine\nencryptionsalt: v1:abc\nconfig:\n  tezos-signer:tags:\n    owner: me\n  location: westeurope\n";
    writeFileSync(place("try"), there);
    expect((await rejection(byOptions(ANSWERS), WrongAnswer)).message).to.equal(
      "stacks/Pulumi.try.yaml is there: --change changes it",
    );
    const { asker } = person({ "stacks/Pulumi.try.yaml is there": ["n"] }, ANSWERS);
    await rejection(setUp(asker, options()), WrongAnswer);
    expect(file("stacks/Pulumi.try.yaml")).to.equal(there);
    await byOptions(ANSWERS, { change: true });
    for (const line of ["# mine", "encryptionsalt: v1:abc", "owner: me", "tezos-signer:location: northeurope"])
      expect(file("stacks/Pulumi.try.yaml")).to.include(line);
    expect(file("stacks/Pulumi.try.yaml")).not.to.include("westeurope");
  });

  it("takes a file that pulumi stack init has made for a new one, and leaves keys that are there as they are", async () => {
    writeFileSync(place("try"), "encryptionsalt: v1:abc\n");
    await byOptions(ANSWERS, { change: true });
    expect(file("stacks/Pulumi.try.yaml")).to.include("encryptionsalt: v1:abc").and.include("name: baker");
    writeFileSync(place("try"), file("stacks/Pulumi.try.yaml").replace("name: baker", "name: mine"));
    await byOptions(ANSWERS, { change: true });
    expect(file("stacks/Pulumi.try.yaml")).to.include("name: mine").and.not.include("name: baker");
    const mail = { "client-key": CLIENT, "alert-email": "baker@example.org" };
    await byOptions({ ...ANSWERS, kind: "production", ...mail }, { change: true });
    expect(file("stacks/Pulumi.try.yaml")).to.include("monitoring: true");
  });

  it("prints the plan of what it wrote, and the next command", async function () {
    this.timeout(120_000);
    const words = Object.entries(ANSWERS).map(([option, value]) => `--${option}=${value}`);
    const script = `process.exit(await (await import(${JSON.stringify(join(root, "infra/setup/main.ts"))})).main(${JSON.stringify(words)}, ${JSON.stringify(folder)}))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stdout).to.match(/^\nWrote stacks\/Pulumi\.try\.yaml\./);
    expect(stdout).to.match(/20\.50\.1\.2 +\* +6732/);
    expect(stdout).to.match(/\n {2}pulumi stack select --create try && npm run up\n$/);
  });

  it("asks at a terminal, and leaves nothing after Ctrl-C or Ctrl-D", async function () {
    this.timeout(60_000);
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    const home = join(folder, "home");
    mkdirSync(home);
    for (const key of ["\x03", "\x04"]) {
      const { code, screen } = await inTerminal(
        [process.execPath, join(root, "infra/setup/main.ts"), "--stack", "a-stack-that-is-not-kept"],
        [
          [/test or production \[test\]: \S*$/, "test"],
          [/id \[shadownet\]: \S*$/, ""],
          [/is not a region[\s\S]*region: \S*$/, key],
          [/region: \S*$/, "nrtheurope"],
        ],
        { env: { HOME: home, ...compiled() } },
      );
      expect(screen)
        .to.include("Nothing was written.")
        .and.not.to.match(/^\s+at /m);
      expect(code).to.equal(130);
    }
    expect(readdirSync(root).filter((name) => name.includes("not-kept"))).to.deep.equal([]);
  });
});
