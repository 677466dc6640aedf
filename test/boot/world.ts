import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { verifySignature } from "@taquito/utils";
import { stringify } from "yaml";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { NODE_RELEASE, type NodeRelease } from "../../cloud-init/node-release.ts";
import { customData, type MachineParameters } from "../../cloud-init/user-data.ts";
import { type EcJwk, publicKeyFromJwk } from "../../signer/tezos/public-key.ts";
import { azurite } from "../support/azurite.ts";
import { CertificateAuthority } from "../support/key-vault/certificates.ts";
import { KeyVaultEmulator } from "../support/key-vault/emulator.ts";
import { Imds } from "../support/key-vault/imds.ts";
import { TokenAuthority } from "../support/key-vault/tokens.ts";
import { type SignResult, sign } from "../support/octez-client.ts";
import { attestation, MAINNET } from "../support/payloads.ts";
import { Downloads } from "./downloads.ts";
import { BAKER, connectNetwork, GATEWAY, IMDS, MACHINE, Machine, TABLE } from "./machine.ts";
import { TableFront } from "./table-front.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const VAULT_HOST = "boot-test.vault.azure.net";
const TABLE_HOST = "boottest.table.core.windows.net";
const STORE = "5f0c7a1e";
/** Whom the vault's access policy names. */
export const OBJECT_ID = "9c1d3e68-7c8f-4e1b-8b1d-1e9f5b203d22";
const IDENTITY = { clientId: "6b0a2f57-6b7e-4d0a-9a0c-0d8f4a1f2c11", objectId: OBJECT_ID };

interface Parts {
  readonly downloads: Downloads;
  readonly imds: Imds;
  readonly vault: KeyVaultEmulator;
  readonly table: TableFront;
  /** PEM of the authorities that the machine is to trust besides the public ones. */
  readonly authorities: string;
}

/** Everything outside the machine: the downloads, Azure's metadata service, vault and table, and the baker. */
export class World {
  readonly downloads: Downloads;
  readonly imds: Imds;
  readonly vault: KeyVaultEmulator;
  readonly table: TableFront;
  /** The key's public key hash. */
  readonly address: string;
  readonly #publicKey: string;
  readonly #authorities: string;
  readonly #until = new Date(Date.now() + 3_600_000).toISOString();
  readonly #checkout = readCheckout(ROOT);

  static async start(): Promise<World> {
    connectNetwork();
    const { BOOT_SUPPLIES: supplies = "" } = process.env;
    const downloads = new Downloads(supplies, readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    await downloads.listen(GATEWAY, 8080);
    const tokens = new TokenAuthority();
    const imds = await Imds.start({ host: IMDS, port: 80, identities: [IDENTITY], tokens });
    const vault = await KeyVaultEmulator.start({
      tls: true,
      host: GATEWAY,
      port: 443,
      hostname: VAULT_HOST,
      tokens,
      policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
    });
    const authority = new CertificateAuthority();
    const table = new TableFront(await azurite(), authority.issue([TABLE_HOST]), tokens);
    await table.listen(TABLE, 443);
    authority.close();
    const authorities = `${vault.authority?.certificate}${authority.certificate}`;
    return new World({ downloads, imds, vault, table, authorities });
  }

  private constructor({ downloads, imds, vault, table, authorities }: Parts) {
    this.downloads = downloads;
    this.imds = imds;
    this.vault = vault;
    this.table = table;
    this.#authorities = authorities;
    const { key } = vault.createKey("consensus", { tags: { "tezos-signer-watermarks": STORE } });
    const { address, base58 } = publicKeyFromJwk(key as EcJwk);
    this.address = address;
    this.#publicKey = base58;
    this.configure();
  }

  async stop(): Promise<void> {
    this.downloads.close();
    this.table.close();
    await this.imds.stop();
    await this.vault.stop();
  }

  /** The pinned release as this world serves it: the official tarball is not to be had here. */
  get node(): NodeRelease {
    const { nodeSha256: hash, url } = this.downloads;
    return { ...NODE_RELEASE, baseUrl: `${url}/dist`, sha256: { x64: hash, arm64: hash } };
  }

  /** What `pulumi up` does where only settings changed: the machine's userData is another. */
  configure(changes: object = {}): void {
    const settings = {
      listen: { host: "0.0.0.0" },
      keys: { kind: "azure-key-vault", vault: `https://${VAULT_HOST}`, clientId: IDENTITY.clientId },
      watermarks: {
        kind: "azure-table",
        endpoint: `https://${TABLE_HOST}`,
        table: "watermarks",
        storeId: STORE,
        initialise: { level: 50, until: this.#until },
        maxStep: 1000,
      },
      policy: { default: { allow: ["block", "preattestation", "attestation"], chains: [MAINNET] } },
      allowedAddresses: [`${BAKER}/32`],
      listKnownKeys: true,
      confirmation: { socket: "/run/tezos-signer/confirm.sock" },
      ...changes,
    };
    this.imds.userData = stringify(settings);
  }

  customData(parameters: Partial<MachineParameters> = {}): Uint8Array {
    return customData(this.#checkout, { ssh: true, maintenance: "04:30", node: this.node, ...parameters });
  }

  /** A machine as the stack would make it, switched off. */
  machine(parameters: Partial<MachineParameters> = {}): Machine {
    const { BOOT_ROOT: root = "" } = process.env;
    return new Machine({ root, customData: this.customData(parameters), files: this.#image() });
  }

  /** Asks for an attestation as octez does; the signature was checked by Taquito. */
  async sign(level: number, { from = BAKER, round = 0, slot = 0 } = {}): Promise<SignResult> {
    const payload = attestation({ level, round, slot }).toString("hex");
    const options = { localAddress: from, retries: 0, signal: AbortSignal.timeout(5_000) };
    const answer = await sign(`http://${MACHINE}:6732`, this.address, payload, options);
    if (answer.signature === undefined || verifySignature(payload, this.#publicKey, answer.signature)) return answer;
    throw new Error(`The signature ${answer.signature} does not verify`);
  }

  /** Waits for a signature of the baker's; @returns when it came, milliseconds since 1970 */
  async signature(machine: Machine, level: number, seconds = 90): Promise<number> {
    return machine.until("a signature", seconds, async () => {
      const answer = await this.sign(level).catch(() => undefined);
      return answer?.status === 200 ? Date.now() : undefined;
    });
  }

  /** What Azure's image and network bring that this root does not: names, trust, where npm and apt look, a locale. */
  #image(): Record<string, string> {
    return {
      "/root/.npmrc": `registry=${this.downloads.url}/npm/\n`,
      "/etc/apt/sources.list": `deb [trusted=yes] ${this.downloads.url}/apt ./\n`,
      "/etc/hosts": `127.0.0.1 localhost\n${GATEWAY} ${VAULT_HOST}\n${TABLE} ${TABLE_HOST}\n`,
      "/etc/ssl/emulated.pem": this.#authorities,
      "/etc/systemd/system/tezos-signer.service.d/trust.conf":
        "[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/ssl/emulated.pem\n",
      "/etc/cloud/cloud.cfg.d/99-container.cfg": "locale: C.UTF-8\n",
    };
  }
}
