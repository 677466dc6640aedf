import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import { parse } from "yaml";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { NODE_RELEASE } from "../../cloud-init/node-release.ts";
import { cloudConfig, customData, SIZE_LIMIT } from "../../cloud-init/user-data.ts";
import { hasProgram, requires } from "../support/requires.ts";

const root = new URL("../../", import.meta.url).pathname;
const parameters = { ssh: true, maintenance: "04:30" };

/** A small checkout of fixed content, so that its hash changes with the code that packs it and with nothing else. */
const SMALL = new Map([
  ["signer/tezos-signer.js", 'await import("./main.ts");\n'],
  ["signer/main.ts", 'export const name: string = "sígner 𝛽";\n\nconsole.log(name); // tab\t\n\n'],
  ["signer/unused.ts", "export {};\n"],
  ["cloud-init/cloud-config.yaml", "runcmd: [[/usr/local/sbin/go]]\n"],
  ["cloud-init/files/usr/local/sbin/go", "#!/bin/sh\n# Goes.\necho @SSH@ @MAINTENANCE@ @NODE_VERSION@\n"],
  ["cloud-init/files/etc/sudoers.d/x", "Defaults use_pty\n"],
  ["package.json", '{"name":"x","version":"1.0.0","type":"module","dependencies":{}}'],
  ["package-lock.json", '{"name":"x","version":"1.0.0","lockfileVersion":3,"packages":{"":{"dependencies":{}}}}'],
]);
const NODE = { version: "24.0.0", baseUrl: "https://example.org", sha256: { x64: "aa", arm64: "bb" } };

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const written = (text: string): { path: string; permissions: string; content: string; encoding?: string }[] =>
  parse(text).write_files;

describe("customData", () => {
  it("has the same bytes on every computer", () => {
    expect(hash(customData(SMALL, { ...parameters, node: NODE }))).to.equal(
      "231c57d3712ad2449b555154e4d275f4486f25e3c6b7b3c0d4be5937a29a8ed5",
    );
  });

  it("does not depend on the order in which files were read", () => {
    const reversed = new Map([...SMALL].reverse());
    expect(customData(reversed, parameters)).to.deep.equal(customData(SMALL, parameters));
  });

  it("is gzip of the cloud-config", () => {
    expect(gunzipSync(customData(SMALL, parameters)).toString()).to.equal(cloudConfig(SMALL, parameters));
  });

  it("changes with a file that the signer imports", () => {
    const changed = new Map(SMALL).set("signer/main.ts", "export {};\n");
    expect(customData(changed, parameters)).to.not.deep.equal(customData(SMALL, parameters));
  });

  it("does not change with a comment or the layout of a file", () => {
    const changed = new Map(SMALL).set("signer/main.ts", `// A name.\n\n${SMALL.get("signer/main.ts")}`);
    expect(customData(changed, parameters)).to.deep.equal(customData(SMALL, parameters));
  });

  it("does not change with a file that the signer does not import, a README, a test, a script or a version for development", () => {
    const changed = new Map(SMALL)
      .set("signer/unused.ts", "// more\n")
      .set("README.md", "# New\n")
      .set("test/x.test.ts", "it();\n")
      .set(
        "package.json",
        '{"name":"x","version":"1.0.0","type":"module","dependencies":{},"devDependencies":{"a":"1"},"scripts":{"b":"c"}}',
      );
    expect(customData(changed, parameters)).to.deep.equal(customData(SMALL, parameters));
  });

  it("writes each file without the comments that have lines of their own, with the permissions its place asks for", () => {
    const files = written(cloudConfig(SMALL, { ...parameters, node: NODE }));
    const byPath = new Map(files.map((file) => [file.path, file]));
    expect(byPath.get("/usr/local/sbin/go")).to.include({
      content: "#!/bin/sh\necho on 04:30 24.0.0\n",
      permissions: "0755",
    });
    expect(byPath.get("/etc/sudoers.d/x")).to.include({ permissions: "0440" });
  });

  it("bundles the signer's files as Node.js can unpack them, without those that it does not import", () => {
    const bundle = written(cloudConfig(SMALL, parameters)).find(({ encoding }) => encoding === "b64");
    const files = JSON.parse(brotliDecompressSync(Buffer.from(bundle?.content ?? "", "base64")).toString());
    expect(Object.keys(files)).to.deep.equal([
      "package.json",
      "package-lock.json",
      "signer/main.ts",
      "signer/tezos-signer.js",
    ]);
    expect(files["signer/main.ts"]).to.equal('const n="sígner 𝛽";console.log(n);export{n as name};\n');
  });

  it("refuses a time that is none", () => {
    for (const maintenance of ["24:00", "4:30", "04:60", "04:30 UTC", ""]) {
      expect(() => customData(SMALL, { ssh: false, maintenance }), maintenance).to.throw("maintenance must be a time");
    }
  });

  it("refuses a placeholder that nothing fills", () => {
    const changed = new Map(SMALL).set("cloud-init/files/etc/x", "a=@NOTHING@\n");
    expect(() => customData(changed, parameters)).to.throw("cloud-init/files/etc/x asks for @NOTHING@");
  });

  it("refuses to grow over its limit", () => {
    const noise = Array.from({ length: 4000 }, (_, index) => hash(Buffer.from(`${index}`))).join("");
    const changed = new Map(SMALL).set("signer/main.ts", `console.log("${noise}");\n`);
    expect(() => customData(changed, parameters)).to.throw(`over the limit of ${SIZE_LIMIT}`);
  });
});

describe("the machine's customData", () => {
  const checkout = readCheckout(root);
  let text: string;

  before(() => {
    text = cloudConfig(checkout, parameters);
  });

  it("fits, with all of the signer in it", () => {
    const { length } = customData(checkout, parameters);
    console.log(`      customData: ${length} of at most ${SIZE_LIMIT} bytes`);
    expect(length).to.be.at.most(SIZE_LIMIT);
  });

  it("holds no path of the checkout", () => {
    expect(text).to.not.include(root).and.not.include(tmpdir());
  });

  it("reads the same to cloud-init's own YAML library", function () {
    requires(this, hasProgram("cloud-init"), "cloud-init is not installed");
    const theirs = execFileSync(
      "/usr/bin/python3",
      ["-c", "import json,sys,yaml; json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout)"],
      { input: text },
    );
    expect(JSON.parse(theirs.toString())).to.deep.equal(parse(text));
  });

  it("passes cloud-init's schema", function () {
    requires(this, hasProgram("cloud-init"), "cloud-init is not installed");
    const folder = mkdtempSync(join(tmpdir(), "cloud-config-"));
    try {
      writeFileSync(join(folder, "user-data"), text);
      const said = execFileSync("cloud-init", ["schema", "--config-file", join(folder, "user-data")], {
        stdio: "pipe",
      });
      expect(said.toString()).to.include("Valid");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("names the pinned Node.js in one place only", () => {
    const named = [...checkout].filter(
      ([path, file]) => path.startsWith("cloud-init/files") && file.includes(NODE_RELEASE.version),
    );
    expect(named).to.deep.equal([]);
  });
});
