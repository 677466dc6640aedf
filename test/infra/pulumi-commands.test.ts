import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { finished, ROOT } from "../harness/command-place.ts";

/** Knows one option, as Pulumi would say it; both programs note their words. */
const PULUMI = `echo "pulumi $*" >>"$NOTES"
case "$*" in *--no-such*) echo "error: unknown flag: --no-such" >&2; exit 1;; *--help*) exit 0;; esac
echo "the preview"; exit 7`;
const TSC = `echo "tsc $*" >>"$NOTES"
if [ -n "$TSC_FINDS" ]; then echo "$TSC_FINDS"; exit 2; fi`;

/** Runs one of the commands beside a Pulumi and a compiler that are none. */
async function ends(command: string, words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  await using folder = await temporaryFolder();
  const notes = join(folder.path, "notes");
  writeFileSync(notes, "");
  for (const [name, script] of Object.entries({ pulumi: PULUMI, tsc: TSC })) {
    writeFileSync(join(folder.path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder.path, name), 0o755);
  }
  const env = { PATH: `${folder.path}:/usr/bin:/bin`, NOTES: notes, ...more };
  const ended = await finished([process.execPath, join(ROOT, `infra/${command}.ts`), ...words], ROOT, { env });
  return { ...ended, asked: readFileSync(notes, "utf8").split("\n").filter(Boolean) };
}

describe("the commands that hand their words on to Pulumi", function () {
  this.timeout(60_000);

  for (const command of ["up", "preview", "destroy"]) {
    it(`npm run ${command} tells an option that Pulumi does not know at once, and asks Azure and the compiler nothing`, async () => {
      expect(await ends(command, ["--no-such"])).to.deep.equal({
        code: 1,
        out: "",
        errors: `${command}: unknown flag: --no-such, so nothing was done: \`pulumi ${command} --help\` lists the arguments\n`,
        asked: [`pulumi ${command} --help --color never --no-such`],
      });
    });
  }

  it("npm run preview explains itself at once, with nothing asked", async () => {
    const { code, out, asked } = await ends("preview", ["--help"]);
    expect(out).to.match(/^npm run preview \[-- ARGUMENTS\]\n/);
    expect([code, asked]).to.deep.equal([0, []]);
  });

  it("npm run preview checks the types, says so before, and ends as Pulumi's does", async () => {
    expect(await ends("preview", ["--diff"])).to.deep.equal({
      code: 7,
      out: "the preview\n",
      errors: "Checking the program's types, which takes half a minute\n",
      asked: ["pulumi preview --help --color never --diff", "tsc --noEmit", "pulumi preview --diff"],
    });
  });

  it("npm run preview ends with the compiler's words and exit code where the types do not fit", async () => {
    const { code, out, errors, asked } = await ends("preview", [], { TSC_FINDS: "infra/index.ts(3,7): error" });
    expect([code, out]).to.deep.equal([2, ""]);
    expect(errors).to.match(
      /\ninfra\/index\.ts\(3,7\): error\npreview: the program's types do not fit, as told above, .+\n$/,
    );
    expect(asked.at(-1)).to.equal("tsc --noEmit");
  });

  it("npm run preview says which command brings the compiler where there is none", async () => {
    const script =
      'import { checkTypes } from "./infra/type-check.ts"; await checkTypes("up").catch((error) => console.log(error.message));';
    const { out } = await finished([process.execPath, "--input-type=module", "-e", script], ROOT, {
      env: { PATH: "/nowhere" },
    });
    expect(out).to.equal("the compiler is not there: npm ci\n");
  });
});
