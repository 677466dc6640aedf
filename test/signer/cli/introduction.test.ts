import { networkInterfaces } from "node:os";
import { expect } from "chai";
import { introduction } from "../../../signer/cli/introduction.ts";
import { parseSettings } from "../../../signer/settings/parse.ts";

const KEY = "tz3iDzR5UeBCsKP9v1teMuRYiVjx66s75RbC";
const SOCKET = ".tezos-signer/confirm.sock";
const IMPORT = `octez-client import secret key my_key http://127.0.0.1:6732/${KEY}`;

/** What a signer with one key says of itself. */
function said({
  url = "http://127.0.0.1:6732",
  admin = "http://127.0.0.1:9583",
  reasons = [] as string[],
  socket = SOCKET,
} = {}) {
  const current = parseSettings(
    JSON.stringify({
      keys: { kind: "local", path: "keys" },
      watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["block", "attestation"], confirm: ["reveal", "transaction"] } },
      confirmation: { socket },
    }),
    "settings.yaml",
  );
  const key = { publicKey: { address: KEY, base58: "p2pk" } };
  const signer = { url, adminUrl: admin, keyring: { keys: new Map([[KEY, key]]) } };
  const readiness = () => ({ ready: reasons.length === 0, reasons });
  return introduction(
    { ...signer, readiness } as unknown as Parameters<typeof introduction>[0],
    { current, source: "settings.yaml" },
    SOCKET,
  );
}

describe("what a signer says when it listens", () => {
  it("is what it signs, what waits and for which command, how octez takes it, and how it is watched and stopped", () => {
    expect(said().split("\n")).to.include.members([
      "Signs       block, attestation",
      "Waits for you: reveal, transaction",
      "  → npm run signer -- confirm",
      `  ${IMPORT}`,
      "Status      http://127.0.0.1:9583/status, in words: npm run signer -- status",
      "Ctrl-C stops it.",
    ]);
  });

  it("names the socket and the admin port in its commands where they are others than these look at by themselves", () => {
    const words = said({ socket: "/tmp/it's here.sock", admin: "http://127.0.0.1:1" });
    expect(words).to.include("  → npm run signer -- confirm --socket '/tmp/it'\\''s here.sock'\n");
    expect(words).to.include("npm run signer -- status --admin http://127.0.0.1:1\n");
  });

  it("says NOT READY with every reason, and not how octez takes a key that would not sign", () => {
    const words = said({ reasons: ["The record is missing.", "The vault is silent."] });
    expect(words).to.include("\nNOT READY: The record is missing.\nNOT READY: The vault is silent.\nWhen it is ready");
    expect(words).not.to.include("octez-client");
  });

  it("names addresses that a baker can ask where it listens on all of them", () => {
    const own = Object.values(networkInterfaces()).flatMap((all = []) => all);
    const outside = own.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";
    const words = said({ url: "https://0.0.0.0:6732" });
    expect(words).to.include(`my_key https://${outside}:6732/${KEY}\n`).and.not.to.include("0.0.0.0");
    expect(said({ url: "http://[::]:6732" })).to.include(`my_key http://${outside}:6732/${KEY}\n`);
  });
});
