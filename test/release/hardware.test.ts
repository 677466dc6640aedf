import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readContents } from "../../release/contents.ts";
import { requires } from "../harness/requires.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** What is of hardware/, by its path or its bytes. */
const COMPILED = /(^|\/)hardware(\/|$)|pkcs11js|serialport|\.node$/;

describe("hardware's packages", () => {
  it("are in no release that a stack asks for, compiled or not, though they were built in this checkout", () => {
    const { files, packages } = readContents(root);
    expect(files.map(({ path }) => path).filter((path) => COMPILED.test(path))).to.deep.equal([]);
    expect(packages.map(({ folder }) => folder).filter((folder) => COMPILED.test(folder))).to.deep.equal([]);
    const elf = Buffer.from("\x7fELF", "latin1");
    expect(files.filter(({ bytes }) => bytes.subarray(0, 4).equals(elf)).map(({ path }) => path)).to.deep.equal([]);
  });

  it("are asked for by no part of the stack and of its machine; a machine of one's own may have them", () => {
    const own = { cwd: root, withFileTypes: true, exclude: ["machine/own"] } as const;
    const files = globSync(["infra/**/*.ts", "machine/**/*", "cloud-init/**/*"], own)
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(
      files.filter((file) =>
        /[hH]ardware\.ts|makeHardware|--hardware|pkcs11|serialport|tezio/.test(readFileSync(file, "utf8")),
      ),
    ).to.deep.equal([]);
    expect(files.length).to.be.greaterThan(50);
  });

  it("are none of the product's own, so that npm ci compiles nothing", () => {
    for (const name of ["pkcs11js", "serialport"]) {
      expect(read("package.json")).not.to.include(name);
      expect(read("package-lock.json")).not.to.include(name);
    }
  });

  it("are asked for in exact versions, and locked by an integrity hash and by no address", () => {
    const { dependencies } = JSON.parse(read("hardware/package.json"));
    for (const version of Object.values(dependencies)) expect(version).to.match(/^\d+\.\d+\.\d+$/);
    const { packages } = JSON.parse(read("hardware/package-lock.json"));
    for (const [path, entry] of Object.entries(packages).filter(([path]) => path !== "")) {
      expect(entry, path).to.have.property("integrity");
      expect(entry, path).not.to.have.property("resolved");
    }
  });

  it("run no script but pkcs11js's when they are installed: serialport's has its binaries in its archive", function () {
    const { dependencies, allowScripts } = JSON.parse(read("hardware/package.json"));
    const { packages } = JSON.parse(read("hardware/package-lock.json"));
    const scripted = Object.keys(packages).filter((path) => packages[path].hasInstallScript);
    expect(scripted).to.deep.equal(["node_modules/@serialport/bindings-cpp"]);
    expect(allowScripts).to.deep.equal({ "@serialport/bindings-cpp": false, pkcs11js: true });
    expect(Object.keys(dependencies)).to.deep.equal(Object.keys(allowScripts));
    const folder = join(root, "hardware/node_modules/@serialport/bindings-cpp");
    requires(this, existsSync(folder), "hardware's packages are not built (npm run hardware)");
    for (const name of [
      "linux-x64/@serialport+bindings-cpp.glibc",
      "linux-arm64/@serialport+bindings-cpp.armv8.glibc",
    ]) {
      expect(existsSync(join(folder, `prebuilds/${name}.node`)), name).to.equal(true);
    }
    expect(existsSync(join(folder, "build")), "what a compiler makes").to.equal(false);
  });

  it("load in this Node.js where they were built, with every function that is used of them", function () {
    requires(
      this,
      existsSync(join(root, "hardware/node_modules")),
      "hardware's packages are not built (npm run hardware)",
    );
    const driver = read("signer/keys/pkcs11/driver.ts");
    const used = [...driver.matchAll(/^ {2}(C_\w+|load)\(/gm)].map(([, name]) => name);
    const script = `const { PKCS11 } = require("./hardware/node_modules/pkcs11js"); const it = new PKCS11(); console.log(JSON.stringify(${JSON.stringify(used)}.filter((name) => typeof it[name] !== "function")))`;
    expect(JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: root }).toString())).to.deep.equal([]);
    expect(used.length).to.be.greaterThan(15);
  });
});
