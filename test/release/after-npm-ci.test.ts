import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "../..");

/** What is said behind `npm ci` of an npm that runs with this Node.js. */
function saidWith(node: string): string {
  const env = { ...process.env, npm_config_user_agent: `npm/11.19.1 node/${node} linux x64 workspaces/false` };
  return spawnSync(process.execPath, ["release/after-npm-ci.js"], { cwd: root, env, encoding: "utf8" }).stderr;
}

describe("npm ci", () => {
  it("says in one line that an older Node.js is enough, and nothing with a newer one", () => {
    expect(saidWith("v20.20.2")).to.match(/^Your Node\.js is v20\.20\.2, which is enough: .*\n$/);
    expect(saidWith(process.version)).to.equal("");
  });

  it("leaves out npm's own warnings, of which there is one for each package", () => {
    expect(readFileSync(`${root}/.npmrc`, "utf8")).to.match(/^loglevel=error$/m);
    const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
    expect(scripts.prepare).to.equal("node release/after-npm-ci.js");
  });
});
