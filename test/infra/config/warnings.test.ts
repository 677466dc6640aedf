import { expect } from "chai";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { warnings } from "../../../infra/config/warnings.ts";
import { settings } from "../../fixtures/stack-configs.ts";

const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";

/** A production stack that gives no cause for a warning. */
const PRODUCTION = {
  production: "true",
  authorizedKeys: `["${CLIENT}"]`,
  monitoring: "true",
  alertEmail: "baker@example.org",
  initialise: '{"level":9123456,"until":"2026-11-20T16:00:00Z"}',
};

/** While the window of `initialise` above is open. */
const NOW = Date.parse("2026-11-20T08:00:00Z");

const warned = (config: Readonly<Record<string, string>>, now = NOW) => warnings(settings(config), now);

describe("warnings for a stack's configuration", () => {
  it("are none where nothing wants a second look", () => {
    expect(warned({})).to.deep.equal([]);
    expect(warned(PRODUCTION)).to.deep.equal([]);
  });

  it("name the examples' address and key", () => {
    expect(warned({ bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY })).to.deep.equal([
      "203.0.113.7 is reserved for documentation (RFC 5737): set bakerIp to your baker's address",
      "sshPublicKey is the example: nobody holds its private half, so nobody can log in",
    ]);
  });

  it("say that the window for first watermarks has closed", () => {
    expect(warned(PRODUCTION, NOW + 9 * 3_600_000)).to.deep.equal([
      "initialise.until, 2026-11-20T16:00:00Z, is past: right once the signer has signed; a new one finds no watermarks, and signs nothing",
    ]);
  });

  it("tell whose address is reserved for documentation", () => {
    expect(warned({ adminIp: "198.51.100.4" })).to.deep.equal([
      "198.51.100.4 is reserved for documentation (RFC 5737): set adminIp to your own address",
    ]);
    const keyImporter = '{"objectId":"11111111-2222-3333-4444-555555555555","ip":"198.51.100.4"}';
    expect(warned({ keyImporter })).to.deep.equal([
      "198.51.100.4 is reserved for documentation (RFC 5737): set keyImporter.ip to the address that the key importer works from",
    ]);
  });

  for (const region of ["eastus2euap", "brazilus", "eastus3", "greececentral", "francenorth", "taiwannorth"]) {
    it(`tell of the region ${region}, which may be newer than the list of those that are known`, () => {
      const [first, ...more] = warned({ location: region });
      expect(first).to.match(new RegExp(`^location ${region} is no region that is known here: \`az account list-loc`));
      expect(more).to.deep.equal([]);
    });
  }

  const images: readonly (readonly [image: string, warning: RegExp])[] = [
    ["Debian:debian-12:12-gen2:latest", /^image is Debian's: the machine's own files are made for Canonical's Ubuntu/],
    ["Cannonical:ubuntu-24_04-lts:server:latest", /^image is Cannonical's; did you mean Canonical\?: /],
    ["Canonical:ubuntu-24_04-lts:cvm:latest", /^image is for confidential machines, .*: Azure may refuse it$/],
    ["Canonical:0001-com-ubuntu-confidential-vm-jammy:22_04-lts-cvm:latest", /^image is for confidential machines/],
    ["Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest", /^image is not Ubuntu 24.04 or newer/],
    ["Canonical:ubuntu-22_04-lts:server:latest", /^image is not Ubuntu 24.04 or newer/],
  ];
  for (const [image, warning] of images) {
    it(`tell of the image ${image}, for which the machine's own files were not made`, () => {
      const [first, ...more] = warned({ image });
      expect(first).to.match(warning);
      expect(more).to.deep.equal([]);
    });
  }

  for (const image of ["canonical:ubuntu-24_04-lts:server:latest", "Canonical:ubuntu-26_04-lts:minimal:latest"]) {
    it(`tell of nothing for the image ${image}`, () => {
      expect(warned({ image })).to.deep.equal([]);
    });
  }

  it("leave out what only a mistake gives rise to", () => {
    expect(warnings({})).to.deep.equal([]);
    expect(warnings({ production: true })).to.deep.equal([]);
    expect(warnings({ production: true, initialise: undefined })[0]).to.match(/^initialise is not set/);
  });

  const gaps: readonly (readonly [what: string, config: Readonly<Record<string, string>>, warning: RegExp])[] = [
    ["production without initialise", { ...PRODUCTION, initialise: "{}" }, /^initialise is not set: right once/],
    ["production without monitoring", { ...PRODUCTION, monitoring: "false", alertEmail: "" }, /^monitoring is not set/],
    ["monitoring without alertEmail", { monitoring: "true" }, /^alertEmail is not set: .*nobody is told$/],
    ["production that anyone on the way may ask", { ...PRODUCTION, authorizedKeys: "none" }, /^authorizedKeys is none/],
    [
      "a key without a backup",
      { keys: '[{"name":"baker","curve":"P-256","source":"generate"}]' },
      /^the key baker is made/,
    ],
  ];
  for (const [what, config, warning] of gaps) {
    it(`tell of ${what}, and of nothing else`, () => {
      const [first, ...more] = warned(config);
      expect(first).to.match(warning);
      expect(more).to.deep.equal([]);
    });
  }

  it("tell of two baker addresses with one key, and not of two with a key each, nor of one block", () => {
    const [first, ...more] = warned({ bakerIp: "84.20.17.5,84.20.18.0/28" });
    expect(first).to.match(
      /^bakerIp names 2 addresses \(84.20.17.5, 84.20.18.0\/28\) for one key: never run two bakers/,
    );
    expect(more).to.deep.equal([]);
    const keys = JSON.stringify(["a", "b"].map((name) => ({ name, curve: "P-256", source: "generate" })));
    expect(warned({ bakerIp: "84.20.17.5,84.20.17.6", keys }).join("\n")).not.to.include("bakerIp");
    expect(warned({ bakerIp: "84.20.18.0/28" })).to.deep.equal([]);
  });

  for (const name of ["node", "node.local", "Node.LAN", "a.b.internal", "node.home.arpa", "node.lan."]) {
    it(`warns of a head's node by the private name ${name}, to which the firewall does not let it lead`, () => {
      const found = warnings(settings({ head: JSON.stringify({ node: `https://${name}:8732` }) }));
      expect(found).to.have.length(1);
      expect(found[0]).to.equal(
        `head.node ${name.toLowerCase().replace(/\.$/, "")} looks like a private name, and the firewall lets a name ` +
          "lead to public addresses only: give the node's address",
      );
    });
  }

  for (const node of [
    "https://rpc.tzkt.io/mainnet",
    "https://local.example.org",
    "https://10.0.0.5",
    "https://localhost",
    "http://127.0.0.1:8732",
  ]) {
    it(`warns of nothing for the head's node ${node}`, () => {
      expect(warnings(settings({ head: JSON.stringify({ node }) }))).to.deep.equal([]);
    });
  }
});
