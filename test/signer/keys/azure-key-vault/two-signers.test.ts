import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Command } from "commander";
import { statusCommand } from "../../../../signer/cli/status.ts";
import type { Io } from "../../../../signer/cli/terminal.ts";
import { type RunningSigner, startSigner } from "../../../../signer/main.ts";
import { LiveSettings } from "../../../../signer/settings/live-settings.ts";
import { Imds } from "../../../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import { sign } from "../../../emulators/octez-client.ts";
import { attestation } from "../../../fixtures/payloads.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";
import { logLines } from "../../../harness/log-lines.ts";
import { SIGNER } from "./vault-rig.ts";

const TAG = "tezos-signer-watermarks";
const SECRET = Buffer.alloc(32, 5);

/** What /status says, as far as these tests look. */
interface Status {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly store: { readonly id: string | null };
  readonly keys: readonly { readonly address: string; readonly problem: string | null }[];
}

describe("two signers of one key in one vault", function () {
  this.timeout(60_000);
  let imds: Imds;
  let vault: KeyVaultEmulator;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "two-signers-"));
    imds = await Imds.start({ identities: [SIGNER] });
    vault = await KeyVaultEmulator.start({
      tokens: imds.tokens,
      policies: { [SIGNER.objectId]: ["get", "list", "sign"] },
    });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
  });
  afterEach(async () => {
    delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    await Promise.all([vault.stop(), imds.stop()]);
    rmSync(folder, { recursive: true });
  });

  /** Starts a signer with a memory of its own, which knows the key by one name alone. */
  function start(name: string): Promise<RunningSigner> {
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId, include: [name] },
      watermarks: { kind: "sqlite", path: join(folder, `${name}.sqlite`), initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["attestation"] } },
    };
    return startSigner(new LiveSettings(JSON.stringify(settings), "the test's settings"), logLines().log);
  }

  const ask = (signer: RunningSigner, path: string) => fetch(new URL(path, signer.adminUrl));
  const statusOf = async (signer: RunningSigner) => (await (await ask(signer, "/status")).json()) as Status;

  /** Starts a signer under each name, does something with both, and stops them. */
  async function withBoth<Result>(work: (signer: RunningSigner) => Promise<Result>): Promise<Result[]> {
    const signers = await Promise.all(["a", "b"].map(start));
    try {
      return await Promise.all(signers.map(work));
    } finally {
      await Promise.all(signers.map((signer) => signer.stop()));
    }
  }

  it("sign nothing while its two names name two stores, and say why; bound to one, its signer signs and the other does not", async () => {
    for (const name of ["a", "b"]) vault.createKey(name, { secret: SECRET });
    const stores = await withBoth(async (signer) => {
      await signer.examine();
      return (await statusOf(signer)).store.id ?? "";
    });
    expect(new Set(stores).size).to.equal(2);
    const [own = "", other = ""] = stores;
    vault.updateKey("a", { tags: { [TAG]: own } });
    vault.updateKey("b", { tags: { [TAG]: other } });

    const answer = async (signer: RunningSigner) => {
      await signer.examine();
      const [address = ""] = signer.keyring.keys.keys();
      const { status, message } = await sign(signer.url, address, attestation({ level: 100 }).toString("hex"));
      const ready = await ask(signer, "/readyz");
      const state = await statusOf(signer);
      const metrics = await (await ask(signer, "/metrics")).text();
      const program = (io: Io) => new Command("tezos-signer").addCommand(statusCommand(io));
      const { stdout: screen } = await atTerminal(program, ["status", "--admin", signer.adminUrl], null);
      return { status, message, ready: [ready.status, state.ready], state, metrics, screen };
    };
    for (const { status, message, ready, state, metrics, screen } of await withBoth(answer)) {
      expect(status).to.equal(500);
      expect(ready).to.deep.equal([503, false]);
      const { problem } = state.keys[0] ?? {};
      expect(screen).to.match(/^ {2}at .*\n {2} +! The vault holds the key tz3\w+ more than once/m);
      for (const text of [message, problem, state.reasons.join()]) {
        expect(text ?? "nothing")
          .to.contain(own)
          .and.to.contain(other)
          .and.to.contain("keys bind");
        expect(text)
          .to.match(/\/keys\/a\/[0-9a-f]{32}/)
          .and.to.match(/\/keys\/b\/[0-9a-f]{32}/);
      }
      expect(metrics).to.contain("\ntezos_signer_keys 0\n").and.to.contain("\ntezos_signer_keys_refused 1\n");
    }

    vault.updateKey("b", { tags: { [TAG]: own } });
    const [bound, unbound] = await withBoth(answer);
    expect([bound?.status, bound?.ready]).to.deep.equal([200, [200, true]]);
    expect(bound?.state.keys[0]?.problem).to.equal(null);
    expect(bound?.metrics).to.contain("\ntezos_signer_keys 1\n").and.to.contain("\ntezos_signer_keys_refused 0\n");
    expect([unbound?.status, unbound?.ready]).to.deep.equal([500, [503, false]]);
    expect(unbound?.message ?? "nothing").to.contain(
      `is bound to the watermark store ${own}, and this signer has ${other}`,
    );
  });
});
