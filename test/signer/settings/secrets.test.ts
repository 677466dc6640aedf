import { expect } from "chai";
import { parseSettings } from "../../../signer/settings/parse.ts";
import { mayBeSecret } from "../../../signer/settings/secrets.ts";
import { testKey } from "../../harness/fake-signer.ts";

/** What is said of settings that cannot be used. */
function said(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the settings were taken");
}

const HEX = "3d5f0c9ae1b27784".repeat(4);
const BASE64 = Buffer.from(HEX, "hex").toString("base64");

const SECRETS: Record<string, string> = {
  "a private key": testKey("tz2").sk,
  "the beginning of a private key": "edsk3gU",
  "an encrypted private key":
    "edesk1GXwWmGjXiLHBKxGBxwmNvG21vKBh6FBxc4CyJ8adQQE2avP5vBB57ZUZ93Anm7i4k8RmsHaPzVAvpnHkFF",
  "an octez secret key's URI": `unencrypted:${testKey("tz3").sk}`,
  "a PEM": `-----BEGIN PRIVATE KEY-----\n${BASE64}\n-----END PRIVATE KEY-----\n`,
  "32 bytes of hex": HEX,
  "32 bytes of hex after 0x": `0x${HEX}`,
  "32 bytes of base64": BASE64,
  "32 bytes of base64url": Buffer.from(HEX, "hex").toString("base64url"),
  "a URL with a password": "http://baker:sesame@rpc.example.net",
  "a URL with a token for a user": "http://sesame@rpc.example.net:8732/x",
  "a shared link of Azure": "http://account.table.core.windows.net/t?sv=2024&sig=c2VzYW1l%3D",
};

describe("a message about settings", () => {
  for (const [title, secret] of Object.entries(SECRETS)) {
    it(`does not repeat ${title}, given for a setting, as a name, or as a key's name`, () => {
      const quoted = JSON.stringify(secret);
      // Escaped as in JSON, and without what a reader could complete by himself.
      const part = quoted.slice(1, -1).slice(-12);
      for (const mistaken of [
        `keys: { kind: azure-key-vault, vault: ${quoted}, include: [${quoted}] }`,
        `head: { node: ${quoted} }`,
        `listen: { port: ${quoted}, host: ${quoted} }`,
        `policy: { ${quoted}: { allow: [${quoted}], chains: [${quoted}] } }`,
        `policy: { default: { allow: [], ${quoted}: 1 } }`,
        `${quoted}: 1`,
      ]) {
        const message = said(() => parseSettings(mistaken, "settings.yaml"));
        expect(message).to.not.include(part);
        expect(message).to.include("(it looks like a secret and is not shown)");
      }
    });
  }

  it("does not repeat 32 bytes of hex that YAML takes for a number", () => {
    const lost = String(Number(`0x${HEX}`)).slice(0, 12);
    expect(said(() => parseSettings(`watermarks: { kind: sqlite, path: 0x${HEX} }`, "s"))).to.not.include(lost);
    expect(said(() => parseSettings(`policy: { 0x${HEX}: { allow: [] } }`, "s"))).to.not.include(lost);
  });

  it("does not repeat a private key where the text is no YAML", () => {
    const { sk } = testKey("tz2");
    for (const [value, expected] of [
      [`!${sk} x`, "TAG_RESOLVE_FAILED at line 2"],
      [`|${sk}`, "UNEXPECTED_TOKEN at line 2"],
      [`*${sk}`, "a text that begins with * must be in quotes"],
    ] as const) {
      const message = said(() => parseSettings(`keys:\n  path: ${value}\n`, "settings.yaml"));
      expect(message).to.not.include(sk.slice(0, 12));
      expect(message)
        .to.match(/^settings\.yaml cannot be used:/)
        .and.include(expected);
    }
  });

  it("repeats what is public or short, so that it can be found", () => {
    for (const value of [
      testKey("tz2").pk,
      testKey("tz3").pk,
      "tz3YFzCb9EqsGMA6gsEvwfdKvFtUtCcYEXgd",
      "baker_main/0123456789abcdef0123456789abcdef",
      "/var/lib/tezos-signer/watermarks/mainnet/store.sqlite",
      "https://servicedesk.example.org/x@y",
      "http://name.vault.azure.net",
      "transfer",
      "10.0.0",
      "70000",
    ]) {
      expect(mayBeSecret(value), value).to.equal(false);
    }
    expect(said(() => parseSettings("listen: { port: 70000 }", "s"))).to.include("(is 70000)");
  });
});
