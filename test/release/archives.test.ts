import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { archiveFile, fetchArchives } from "../../release/archives.ts";
import type { Pin } from "../../release/pin.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { rejection } from "../harness/rejection.ts";
import { environment } from "./fixture.ts";
import { integrityOf, type Lie, packageOf, Registry, type Served } from "./registry.ts";

describe("the archives of a release", function () {
  this.timeout(60_000);
  let registry: Registry;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let restored: Disposable;
  let alpha: Served;
  let beta: Served;
  let large: Served & { size: number };

  beforeEach(async () => {
    folder = await temporaryFolder();
    registry = await Registry.start();
    const settings = { npm_config_registry: registry.url, npm_config_fetch_retries: "0" };
    restored = environment({ ...settings, XDG_CACHE_HOME: join(folder.path, "cache") });
    alpha = await packageOf("alpha", "1.0.0");
    beta = await packageOf("@scope/beta", "2.0.0");
    large = { ...(await packageOf("large", "3.0.0")), size: 52_504_722 };
    registry.packages.push(alpha, beta, large);
  });

  afterEach(async () => {
    restored[Symbol.dispose]();
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** What is said meanwhile. */
  async function fetched(small: readonly Pin[], first: readonly (typeof large)[] = []): Promise<string[]> {
    const said: string[] = [];
    await fetchArchives(folder.path, first, small, (line) => said.push(line));
    return said;
  }

  const refusal = async (pin: Pin) => (await rejection(fetched([pin]), Error)).message;

  it("are fetched, the large ones first, and it is said how far it is", async () => {
    expect(await fetched([alpha, beta], [large])).to.deep.equal([
      "release: fetching 3 archives (large first, 52 MB) …",
      "release: 1 of 3",
      "release: 3 of 3",
    ]);
    for (const served of [alpha, beta, large]) {
      expect(readFileSync(archiveFile(served)).equals(served.bytes)).to.equal(true);
    }
    expect(readdirSync(dirname(dirname(archiveFile(alpha)))), "npm's cache is gone").to.deep.equal(["archives"]);
  });

  it("are fetched once: afterwards no registry is asked", async () => {
    await fetched([alpha, alpha]);
    const asked = registry.asked.length;
    expect(await fetched([alpha])).to.deep.equal([]);
    expect(registry.asked).to.have.lengthOf(asked);
  });

  it("are fetched again where the kept bytes were changed", async () => {
    await fetched([alpha]);
    writeFileSync(archiveFile(alpha), "changed");
    expect(await fetched([alpha])).to.deep.equal(["release: fetching 1 archive …", "release: 1 of 1"]);
    expect(readFileSync(archiveFile(alpha)).equals(alpha.bytes)).to.equal(true);
  });

  it("that came before one failed are kept", async () => {
    registry.lies.set("alpha", { bytes: beta.bytes });
    await rejection(fetched([alpha], [large]), Error);
    expect(readFileSync(archiveFile(large)).equals(large.bytes)).to.equal(true);
  });

  it("leave nothing of an earlier fetching that was killed, once a day has passed", async () => {
    const [old, recent] = ["npm-old", "npm-recent"].map((name) => join(folder.path, "cache/tezos-signer", name));
    for (const path of [old, recent]) mkdirSync(path ?? "", { recursive: true });
    utimesSync(old ?? "", 1, 1);
    await fetched([alpha]);
    expect(readdirSync(join(folder.path, "cache/tezos-signer"))).to.have.members(["archives", "npm-recent"]);
  });

  it("need a network, which is said in one sentence", async () => {
    const gone = createServer();
    await new Promise<void>((done) => gone.listen(0, "127.0.0.1", done));
    const { port } = gone.address() as AddressInfo;
    await new Promise((done) => gone.close(done));
    process.env.npm_config_registry = `http://127.0.0.1:${port}`;
    expect(await refusal(alpha)).to.equal(
      "No network: npm did not reach its registry (ECONNREFUSED); what was fetched is kept, so run this again when it does.",
    );
  });

  it("need npm, which is said where there is none", async () => {
    using _ = environment({ PATH: folder.path });
    expect(await refusal(alpha)).to.equal("npm is not on PATH: install it with Node.js, and run this again");
  });

  describe("from a registry that lies", () => {
    const other = Buffer.from("an archive that nobody pinned");
    const foreign = "http://127.0.0.2:1/alpha-1.0.0.tgz";
    const broken: Lie["answer"] = (request, response) => {
      if (!request.url?.includes("/-/")) return registryDocument(response);
      response.writeHead(200, { "content-length": String(alpha.bytes.length) });
      response.write(alpha.bytes.subarray(0, 20));
      setTimeout(() => response.destroy(), 20);
    };
    const registryDocument = (response: { end(text: string): unknown }) => {
      const dist = { tarball: `${registry.url}/alpha/-/alpha-1.0.0.tgz`, integrity: alpha.integrity };
      response.end(JSON.stringify({ name: "alpha", versions: { "1.0.0": { name: "alpha", version: "1.0.0", dist } } }));
    };
    const status = (code: number): Lie => ({
      answer: (_, response) => {
        response.writeHead(code);
        response.end("{}");
      },
    });

    const lies: Record<string, [lie: Lie, said: RegExp]> = {
      "serves another archive": [{ bytes: other }, /other bytes than are pinned/],
      "serves another archive and vouches for it": [
        { bytes: other, integrity: integrityOf(other) },
        /other bytes than are pinned/,
      ],
      "vouches for another hash": [{ integrity: integrityOf(other) }, /other bytes than are pinned/],
      "names a git address": [
        { tarball: "git+ssh://git@127.0.0.1/alpha.git" },
        /was not fetched: Wrong spec type \(git\)/,
      ],
      "names a git address over http": [{ tarball: "git+http://127.0.0.1/alpha.git" }, /was not fetched/],
      "names a git host": [{ tarball: "github:owner/alpha" }, /was not fetched/],
      "names a file": [{ tarball: "file:///etc/hostname" }, /was not fetched/],
      "answers 404": [status(404), /E404/],
      "answers 503": [status(503), /E503/],
      "cuts the archive short": [{ answer: broken }, /was not fetched/],
    };
    for (const [what, [lie, said]] of Object.entries(lies)) {
      it(`are refused where it ${what}: the package, what was expected and what to do are named, and nothing is kept`, async () => {
        registry.lies.set("alpha", lie);
        const message = await refusal(alpha);
        expect(message)
          .to.match(/^alpha@1\.0\.0/)
          .and.match(said);
        expect(message).to.include(`Expected ${alpha.integrity}`).and.include("npm config get registry");
        expect(readdirSync(dirname(archiveFile(alpha)))).to.deep.equal([]);
      });
    }

    it("are refused where it has no such version: the package and what was expected are named", async () => {
      const pin = { ...alpha, version: "1.2.3" };
      expect(await refusal(pin)).to.match(/^alpha@1\.2\.3 was not fetched: ETARGET, .+ Expected sha512-/);
    });

    it("are never asked of another host that it names", async () => {
      await using stranger = await Registry.start("127.0.0.2");
      stranger.packages.push(alpha);
      registry.lies.set("alpha", { tarball: `${stranger.url}/elsewhere/alpha-1.0.0.tgz` });
      expect(await refusal(alpha)).to.match(/^alpha@1\.0\.0 was not fetched: E404/);
      expect(stranger.asked).to.deep.equal([]);
      expect(registry.asked).to.include("/elsewhere/alpha-1.0.0.tgz");
    });

    it("are followed to where it redirects, and are held to their hash there as well", async () => {
      await using stranger = await Registry.start("127.0.0.2");
      stranger.packages.push(alpha);
      registry.lies.set("alpha", {
        answer: (request, response) => {
          if (!request.url?.includes("/-/")) return registryDocument(response);
          response.writeHead(302, { location: `${stranger.url}/alpha/-/alpha-1.0.0.tgz` });
          response.end();
        },
      });
      stranger.lies.set("alpha", { bytes: other });
      expect(await refusal(alpha)).to.match(/^alpha@1\.0\.0: .*other bytes than are pinned/);
      stranger.lies.clear();
      await fetched([alpha]);
      expect(readFileSync(archiveFile(alpha)).equals(alpha.bytes)).to.equal(true);
    });

    it("are taken by their pin, whatever form of a hash it announces", async () => {
      for (const integrity of [alpha.integrity.toUpperCase(), alpha.integrity.replace("sha512", "SHA512"), "none"]) {
        registry.lies.set("alpha", { integrity });
        await fetched([alpha]);
        rmSync(archiveFile(alpha));
      }
    });

    it("are asked of itself where it names another host for what it has itself", async () => {
      registry.lies.set("alpha", { tarball: foreign.replace("alpha-", "alpha/-/alpha-") });
      await fetched([alpha]);
      expect(readFileSync(archiveFile(alpha)).equals(alpha.bytes)).to.equal(true);
    });
  });
});
