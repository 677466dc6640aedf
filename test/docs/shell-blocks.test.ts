import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BLOCKS } from "./shell-blocks.ts";

describe("each block of shell in a page", () => {
  it("is shell, to its last bracket and quote", () => {
    expect(BLOCKS.length).to.be.greaterThan(80);
    const folder = mkdtempSync(join(tmpdir(), "blocks-"));
    try {
      for (const { page, at, code } of BLOCKS) writeFileSync(join(folder, `${page.replaceAll("/", " ")} ${at}`), code);
      const { stdout, stderr } = spawnSync("sh", ["-c", 'for block in *; do bash -n "$block" || echo "$block"; done'], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(stdout, stderr).to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is run by typed-blocks.test.ts, or is known to need what a test has not", () => {
    const run = BLOCKS.filter(({ elsewhere }) => elsewhere.length === 0);
    expect(run.map(({ page }) => page)).to.include.members(["docs/recover.md", "docs/coming-from.md"]);
    expect(run.length).to.be.greaterThan(15);
  });
});
