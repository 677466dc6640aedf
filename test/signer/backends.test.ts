import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { BUDGETS } from "../../signer/signing/budgets.ts";
import { encode } from "../../signer/tezos/crypto/base58.ts";
import { azurite } from "../emulators/azurite.ts";
import type { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { publicKey, sign } from "../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, block, preattestation, transfer } from "../fixtures/payloads.ts";
import { KEY_BACKENDS, type KeyBackend, machineIdentity } from "../harness/key-backends.ts";
import { tableName } from "../harness/watermark-stores.ts";

/** A place for a signer: its keys, its watermarks, and whatever they need around them. */
class Place implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack();
  readonly #env: Record<string, string> = {};
  readonly vault: KeyVaultEmulator | undefined;
  readonly #folder: string;

  private constructor(folder: string, vault: KeyVaultEmulator | undefined) {
    this.#folder = folder;
    this.vault = vault;
  }

  static async open(keys: KeyBackend, watermarks: "sqlite" | "azure-table"): Promise<Place> {
    const folder = await temporaryFolder();
    const { settings: keySettings, env, vault, ...rest } = await keys.place(folder.path, "P-256K");
    const place = new Place(folder.path, vault);
    place.#parts.use(folder);
    place.#parts.use(rest);
    // The table is asked in the machine's name, whatever the keys are.
    const machine = await machineIdentity();
    place.#parts.defer(() => machine.stop());
    Object.assign(place.#env, machine.env, env);
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: keySettings,
      watermarks: { ...(await place.#watermarks(watermarks)), initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["block", "preattestation", "attestation", "transaction"] } },
    };
    await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
    return place;
  }

  /** Starts a signer, and waits until it has its key: on a busy computer that may be after it listens. */
  async start(): Promise<{ readonly signer: SignerProcess; readonly address: string }> {
    const signer = await startSignerProcess(this.#folder, ["--config", "settings.yaml"], this.#env);
    const served = () => signer.log.find(({ msg }) => msg === "key is served")?.key as string | undefined;
    for (;;) {
      const address = signer.addresses[0] ?? served();
      if (address !== undefined) return { signer, address };
      await sleep(50);
    }
  }

  async #watermarks(kind: "sqlite" | "azure-table") {
    if (kind === "sqlite") return { kind, path: "watermarks.sqlite" };
    const { endpoint, ca } = await azurite();
    const trusted = join(this.#folder, "ca.pem");
    await writeFile(trusted, ca);
    this.#env.NODE_EXTRA_CA_CERTS = trusted;
    return { kind, endpoint, table: tableName() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

for (const backend of KEY_BACKENDS) {
  const keys = backend.name;
  for (const watermarks of ["sqlite", "azure-table"] as const) {
    describe(`a signer with ${keys} keys and ${watermarks} watermarks`, () => {
      let place: Place;
      let signer: SignerProcess;
      let address: string;

      const ask = (payload: Buffer) => sign(signer.url, address, payload.toString("hex"));

      before(async function () {
        backend.requires(this);
        place = await Place.open(backend, watermarks);
        ({ signer, address } = await place.start());
      });
      after(async () => {
        await signer?.[Symbol.asyncDispose]();
        await place?.[Symbol.asyncDispose]();
      });

      it("answers 64 clients at once on a cold start, each with a signature of its own bytes", async () => {
        const key = await publicKey(signer.url, address);
        const payloads = Array.from({ length: 64 }, (_, index) =>
          attestation({ chainId: encode("Net", Buffer.from([1, 2, 3, index])), level: 5 }),
        );
        // A busy computer takes more tries than octez makes of itself.
        const tries = { retries: 1_000 };
        const asked = payloads.map((payload) => sign(signer.url, address, payload.toString("hex"), tries));
        for (const [index, { status, message, signature }] of (await Promise.all(asked)).entries()) {
          expect(status, message).to.equal(200);
          expect(verifySignature(payloads[index]?.toString("hex") ?? "", key, signature ?? "")).to.equal(true);
        }
      });

      it("signs a block, a preattestation and an attestation at one level, and Taquito verifies them", async () => {
        const key = await publicKey(signer.url, address);
        for (const payload of [block({ level: 7 }), preattestation({ level: 7 }), attestation({ level: 7 })]) {
          const { signature } = await ask(payload);
          expect(verifySignature(payload.toString("hex"), key, signature ?? "")).to.equal(true);
        }
      });

      it("gives the same bytes the same signature", async () => {
        for (const payload of [block({ level: 8 }), attestation({ level: 8 })]) {
          expect((await ask(payload)).signature).to.equal((await ask(payload)).signature);
        }
      });

      it("refuses other bytes at a position, with DAL slots or without, and positions below", async () => {
        await ask(attestation({ level: 9 }));
        await ask(block({ level: 9, round: 1 }));
        for (const payload of [
          attestation({ level: 9, dal: 1n }),
          attestation({ level: 9, slot: 1 }),
          attestation({ level: 8 }),
          block({ level: 9, round: 1, timestamp: 5n }),
          block({ level: 9, round: 0 }),
        ]) {
          expect((await ask(payload)).status).to.equal(409);
        }
      });

      it("lets one of twenty conflicting requests at once win, and only one", async () => {
        const payloads = Array.from({ length: 20 }, (_, slot) => attestation({ level: 10, slot }));
        const answers = await Promise.all(payloads.map(ask));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        expect(answers.filter(({ status }) => status === 409)).to.have.length(19);
      });

      it("finishes what a client no longer waits for", async () => {
        const payload = block({ level: 11 });
        const hangUp = new AbortController();
        const given = sign(signer.url, address, payload.toString("hex"), { signal: hangUp.signal }).catch(() => {});
        setTimeout(() => hangUp.abort(), 3);
        await given;
        expect((await ask(payload)).status).to.equal(200);
      });

      if (keys === "azure-key-vault") {
        it("asks the vault once for a signature, and not at all for a block that has one", async () => {
          place.vault?.resetCalls();
          await ask(block({ level: 12 }));
          await ask(block({ level: 12 }));
          expect(place.vault?.calls).to.deep.include({ sign: 1 });
        });
      }

      if (keys === "azure-key-vault" && watermarks === "sqlite") {
        it("gives up a vault that never answers while octez still waits, for a vote and for a transfer", async () => {
          // octez would ask again; nobody waits for three times the budget.
          const patience = { retries: 0, signal: AbortSignal.timeout(3 * BUDGETS.other) };
          place.vault?.faults.rate([{ kind: "stall-headers", on: "sign", rate: 1 }]);
          const payloads = [attestation({ level: 14 }), transfer({ source: address })];
          const answers = await Promise.all(
            payloads.map((payload) => sign(signer.url, address, payload.toString("hex"), patience)),
          ).finally(() => place.vault?.faults.clear());
          expect(answers.map(({ status }) => status)).to.deep.equal([502, 502]);
        });
      }

      // What a restart finds is the store's: each store once, and each keyring.
      if ((keys === "local") !== (watermarks === "sqlite")) return;
      it("returns the very same block signature after a kill -9 and a restart", async () => {
        const payload = block({ level: 13 });
        const { signature } = await ask(payload);
        await signer.end("SIGKILL");
        ({ signer } = await place.start());
        expect((await ask(payload)).signature).to.equal(signature);
        expect((await ask(block({ level: 13, timestamp: 5n }))).status).to.equal(409);
      });
    });
  }
}
