import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";
import { main as plan } from "../../infra/plan/main.ts";
import { setUp, WrongAnswer } from "../../infra/setup/setup.ts";
import { misplaced, STACK_FOLDER, stackFile } from "../../infra/stack-folder.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { rejection } from "../harness/rejection.ts";
import { requires } from "../harness/requires.ts";

const root = resolve(import.meta.dirname, "../..");

describe("the folder of the stacks' files", () => {
  it("is the one that Pulumi is told, and git keeps nothing in it", function () {
    requires(this, hasProgram("git"), "git says what it leaves out");
    expect(parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")).stackConfigDir).to.equal(STACK_FOLDER);
    const git = (...words: string[]) => spawnSync("git", words, { cwd: root, encoding: "utf8" });
    requires(this, git("rev-parse", "--is-inside-work-tree").status === 0, "this is not a clone");
    for (const path of [stackFile("dev"), `${STACK_FOLDER}/.git`, "Pulumi.dev.yaml"])
      expect(git("check-ignore", "--quiet", path).status, path).to.equal(0);
    expect(git("ls-files", STACK_FOLDER, "Pulumi.*.yaml").stdout).to.equal("");
  });

  describe("with a stack's file beside Pulumi.yaml, where it lay before", () => {
    const MOVE = "mkdir -p stacks && mv -n Pulumi.mainnet.yaml Pulumi.test.yaml stacks/";

    async function earlier() {
      const folder = await temporaryFolder();
      for (const name of ["Pulumi.yaml", "Pulumi.mainnet.yaml", "Pulumi.test.yaml"])
        writeFileSync(join(folder.path, name), "config: {}\n");
      return folder;
    }

    it("says how it is moved, and where one is in both places, that a person compares them", async () => {
      await using folder = await earlier();
      expect(misplaced(folder.path))
        .to.include("Nothing is lost")
        .and.to.match(new RegExp(`: ${MOVE}$`));
      mkdirSync(join(folder.path, "stacks"));
      writeFileSync(join(folder.path, stackFile("test")), "encryptionsalt: v1:x\n");
      expect(misplaced(folder.path))
        .to.match(/^Pulumi\.test\.yaml lies beside Pulumi\.yaml and in stacks\//)
        .and.include("diff Pulumi.test.yaml stacks/Pulumi.test.yaml")
        .and.not.include("mv");
    });

    it("is told so by the program too, which a plain pulumi up runs", async () => {
      await using folder = await earlier();
      const { default: program } = await import("../../infra/index.ts");
      const before = process.cwd();
      process.chdir(folder.path);
      const running = program(); // looks where it is before anything else
      process.chdir(before);
      expect((await rejection(running, RunError)).message).to.include(MOVE);
    });

    it("is told so by every command that reads a stack, which changes nothing", async () => {
      await using folder = await earlier();
      for (const [name, code] of [
        ["up", 1],
        ["preview", 1],
        ["destroy", 1],
        ["preflight/main", 2],
        ["recovery/main", 1],
      ] as const) {
        const ended = await run(`infra/${name}.ts`, folder.path);
        expect(ended, name).to.include({ code, out: "" });
        expect(ended.errors, name).to.include(MOVE);
      }
      const asker = { given: { kind: "test" }, say: () => undefined, ask: undefined };
      const refused = await rejection(setUp(asker, { folder: folder.path, change: true, now: 0 }), WrongAnswer);
      expect(refused.message).to.include(MOVE);
      expect(await saidByPlan(folder.path)).to.include(MOVE);
    });
  });
});

/** Without a `pulumi` or an `az`: whatever a command asks them, it asks too early. */
function run(script: string, cwd: string) {
  return new Promise<{ code: unknown; out: string; errors: string }>((done) =>
    execFile(process.execPath, [join(root, script)], { cwd, env: { PATH: "/nowhere" } }, (error, out, errors) =>
      done({ code: error?.code, out, errors }),
    ),
  );
}

async function saidByPlan(folder: string): Promise<string> {
  const { error } = console;
  let said = "";
  console.error = (line: string) => {
    said += line;
  };
  try {
    expect(await plan(["--stack", "mainnet"], folder)).to.equal(1);
  } finally {
    console.error = error;
  }
  return said;
}
