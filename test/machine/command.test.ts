import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { run } from "../../machine/updater/command.ts";

describe("a program that the updater runs", () => {
  it("says in English that the disk is full, whatever the machine speaks", () => {
    const folder = mkdtempSync(join(tmpdir(), "command-"));
    const { LANG, LC_ALL } = process.env;
    Object.assign(process.env, { LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" });
    try {
      const tar = join(folder, "tar");
      const german = "Auf dem Gerät ist kein Speicherplatz mehr verfügbar";
      const english = "No space left on device";
      const text = `case $LC_ALL in C*) echo "${english}" ;; *) echo "${german}" ;; esac`;
      writeFileSync(tar, `#!/bin/sh\n${text} >&2\nexit 2\n`, { mode: 0o755 });
      expect(run(tar)).to.deep.equal({ status: 2, output: english });
    } finally {
      for (const [name, value] of Object.entries({ LANG, LC_ALL })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      rmSync(folder, { recursive: true });
    }
  });
});
