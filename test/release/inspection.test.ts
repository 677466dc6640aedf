import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type Header, pack } from "tar-stream";
import { inspectArchive } from "../../release/inspection.ts";
import { rejection } from "../harness/rejection.ts";
import { archiveOf } from "./registry.ts";

/** An archive with one plain file and one entry of its own. */
async function archiveWith(header: Partial<Header> & Pick<Header, "name">): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: "package/package.json" }, "{}");
  tar.entry(header, header.type === undefined ? "x" : "");
  tar.finalize();
  return gzipSync(await buffer(tar as AsyncIterable<Buffer>));
}

describe("the inspection of an archive", () => {
  it("passes files and folders below one top folder, whatever its name", async () => {
    await inspectArchive("a.tgz", await archiveOf({ "node/lib/index.js": "x", "node/./package.json": "{}" }));
    await inspectArchive("a.tgz", await archiveWith({ name: "package/lib/", type: "directory" }));
    await inspectArchive("a.tgz", await archiveOf({ [`package/${"deep/".repeat(60)}index.js`]: "x" }));
  });

  const refused: Record<string, Partial<Header> & Pick<Header, "name">> = {
    "a symbolic link": { name: "package/x", type: "symlink", linkname: "/etc/passwd" },
    "a hard link": { name: "package/x", type: "link", linkname: "package/package.json" },
    "a character device": { name: "package/x", type: "character-device" },
    "a block device": { name: "package/x", type: "block-device" },
    "a fifo": { name: "package/x", type: "fifo" },
    "a setuid file": { name: "package/x", mode: 0o4755 },
    "a setgid folder": { name: "package/x/", type: "directory", mode: 0o2755 },
    "an absolute path": { name: "/etc/passwd" },
    "a name that goes up where its NUL is": { name: "package/..", pax: { path: "package/..\0x" } },
    "a name of two lines": { name: "package/x\ny" },
    "a sparse file with a name of its own": { name: "package/x", pax: { "GNU.sparse.name": "package/../../x" } },
    "a path of Windows": { name: "package\\..\\x" },
    "a path that goes up": { name: "package/../../x" },
    "a top folder that is a dot": { name: "./package/x" },
    "a second top folder": { name: "other/x" },
    "a file beside the top folder": { name: "x" },
  };
  for (const [what, header] of Object.entries(refused)) {
    it(`refuses ${what}, naming archive and reason`, async () => {
      const error = await rejection(inspectArchive("a-1.0.0.tgz", await archiveWith(header)), Error);
      expect(error.message).to.match(/^a-1\.0\.0\.tgz (?:holds|has) .+: choose another version of the package$/);
    });
  }

  it("refuses what is no archive, is cut short, or is empty", async () => {
    const whole = await archiveOf({ "package/index.js": "x".repeat(100) });
    for (const bytes of [Buffer.from("no"), whole.subarray(0, -20), gzipSync(Buffer.alloc(1_000, 7)), gzipSync("")]) {
      const error = await rejection(inspectArchive("a-1.0.0.tgz", bytes), Error);
      expect(error.message).to.match(/^a-1\.0\.0\.tgz (?:cannot be read|has 0 top folders)/);
    }
  });
});
