import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PAGES, textOf } from "./pages.ts";

/** Every block of a page that says of itself that it is shell, by its page and place there. */
const blocks = PAGES.flatMap((page) =>
  [...textOf(page).matchAll(/^( *)```(?:sh|bash)\n([\s\S]*?)^\1```$/gm)].map(([, , code = ""], at) => ({
    name: `${page.replaceAll("/", " ")} ${at + 1}`,
    code,
  })),
);

describe("each block of shell in a page", () => {
  it("is shell, to its last bracket and quote", () => {
    expect(blocks.length).to.be.greaterThan(80);
    const folder = mkdtempSync(join(tmpdir(), "blocks-"));
    try {
      for (const { name, code } of blocks) writeFileSync(join(folder, name), code);
      const { stdout, stderr } = spawnSync("sh", ["-c", 'for block in *; do bash -n "$block" || echo "$block"; done'], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(stdout, stderr).to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
