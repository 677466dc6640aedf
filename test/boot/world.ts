import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { customData } from "../../cloud-init/custom-data.ts";
import { type EcJwk, publicKeyFromJwk } from "../../signer/tezos/crypto/public-key.ts";
import { azurite } from "../emulators/azurite.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { CertificateAuthority } from "../emulators/key-vault/certificates.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { TokenAuthority } from "../emulators/key-vault/tokens.ts";
import { type SignResult, sign } from "../emulators/octez-client.ts";
import { attestation, MAINNET } from "../fixtures/payloads.ts";
import { Apt } from "./apt.ts";
import {
  BAKER,
  BLOB,
  connect,
  connectNetwork,
  GATEWAY,
  IMDS,
  isConnected,
  MACHINE,
  Machine,
  TABLE,
} from "./machine.ts";
import { StorageFront } from "./storage-front.ts";
import { named, type Variant } from "./variants.ts";

const VAULT_HOST = "boot-test.vault.azure.net";
const TABLE_HOST = "boottest.table.core.windows.net";
const BLOB_HOST = "boottestreleases.blob.core.windows.net";
const CONTAINER = "releases";
const STORE = "5f0c7a1e";
/** Whom the vault's access policy names. */
export const OBJECT_ID = "9c1d3e68-7c8f-4e1b-8b1d-1e9f5b203d22";
/** What that policy allows. */
export const RIGHTS = ["get", "list", "sign"] as const;
const IDENTITY = { clientId: "6b0a2f57-6b7e-4d0a-9a0c-0d8f4a1f2c11", objectId: OBJECT_ID };

/** Watermarks as the stack writes them for a test network: first rows at any time, and no bound on steps. */
export const THROW_AWAY = {
  kind: "azure-table",
  endpoint: `https://${TABLE_HOST}`,
  table: "watermarks",
  storeId: STORE,
  initialise: "always",
  maxStep: "off",
};

interface Parts {
  readonly apt: Apt;
  readonly imds: Imds;
  readonly vault: KeyVaultEmulator;
  readonly table: StorageFront;
  readonly blobs: StorageFront;
  /** PEM of the authorities that the machine is to trust besides the public ones. */
  readonly authorities: string;
}

/** What a machine is made with. */
export interface MachineParts {
  /** How long its updater watches a new release, seconds. */
  readonly watch?: number;
}

/** What userData says besides the settings. */
export interface Told {
  readonly release?: Variant;
  readonly ssh?: boolean;
  readonly maintenance?: string;
}

/** Everything outside the machine: Azure's metadata service, vault, table and blobs, an apt mirror, and the baker. */
export class World {
  readonly apt: Apt;
  readonly imds: Imds;
  readonly vault: KeyVaultEmulator;
  readonly table: StorageFront;
  readonly blobs: StorageFront;
  /** This checkout's release. */
  readonly release: Variant;
  /** The key's public key hash. */
  readonly address: string;
  readonly publicKey: string;
  readonly #authorities: string;
  readonly #until = new Date(Date.now() + 14_400_000).toISOString();

  /** The one world of a test run. */
  static get(): Promise<World> {
    only ??= World.#start();
    return only;
  }

  static async #start(): Promise<World> {
    connectNetwork();
    const apt = new Apt();
    await apt.listen(GATEWAY, 8080);
    const tokens = new TokenAuthority();
    const imds = await Imds.start({ host: IMDS, port: 80, identities: [IDENTITY], tokens });
    const vault = await KeyVaultEmulator.start({
      tls: true,
      host: GATEWAY,
      port: 443,
      hostname: VAULT_HOST,
      tokens,
      policies: { [IDENTITY.objectId]: [...RIGHTS] },
    });
    const authority = new CertificateAuthority();
    const table = new StorageFront(await azurite("table"), authority.issue([TABLE_HOST]), tokens);
    await table.listen(TABLE, 443);
    const blobs = new StorageFront(await azurite("blob"), authority.issue([BLOB_HOST]), tokens);
    await blobs.listen(BLOB, 443);
    authority.close();
    const authorities = `${vault.authority?.certificate}${authority.certificate}`;
    const world = new World({ apt, imds, vault, table, blobs, authorities });
    await world.publish(world.release);
    return world;
  }

  private constructor({ apt, imds, vault, table, blobs, authorities }: Parts) {
    this.apt = apt;
    this.imds = imds;
    this.vault = vault;
    this.table = table;
    this.blobs = blobs;
    this.#authorities = authorities;
    const { BOOT_RELEASE: file = "" } = process.env;
    const [, version = ""] = /^tezos-signer-(.+)-[0-9a-f]{12}\.tar$/.exec(basename(file)) ?? [];
    this.release = named(version, readFileSync(file));
    const { key } = vault.createKey("consensus", { tags: { "tezos-signer-watermarks": STORE } });
    const { address, base58 } = publicKeyFromJwk(key as EcJwk);
    this.address = address;
    this.publicKey = base58;
    this.configure();
  }

  /** Ends every outage, gives every right back, and tells the settings of a calm day: no test leaves its weather to the next. */
  async calm(): Promise<void> {
    for (const account of [this.table, this.blobs]) {
      Object.assign(account, { away: false, roleWorks: true });
      account.faults.length = 0;
    }
    this.vault.policies.grant(OBJECT_ID, [...RIGHTS]);
    if (!isConnected()) connect(true);
    await this.publish(this.release);
    this.configure();
  }

  /** Uploads a release, as `pulumi up` does before it names it. */
  publish({ name, content }: Variant): Promise<void> {
    return this.blobs.upload(CONTAINER, name, content);
  }

  unpublish({ name }: Variant): Promise<void> {
    return this.blobs.remove(CONTAINER, name);
  }

  /** What `pulumi up` does where settings or the release changed: the machine's userData is another. */
  configure(changes: object = {}, { release = this.release, ssh = true, maintenance = "04:30" }: Told = {}): void {
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
    const { version, sha256, name } = release;
    const url = `https://${BLOB_HOST}/${CONTAINER}/${name}`;
    this.imds.userData = JSON.stringify({
      release: { version, sha256, url, clientId: IDENTITY.clientId },
      machine: { ssh, maintenance },
      settings,
    });
  }

  /** A machine as the stack would make it, switched off. */
  machine({ watch = 8 }: MachineParts = {}): Machine {
    const { BOOT_ROOT: root = "", BOOT_DISKS: disks = "" } = process.env;
    return new Machine({ root, disks, customData: Buffer.from(customData()), files: this.#image(root, watch) });
  }

  /** Asks for an attestation as octez does; the signature was checked by Taquito. */
  async sign(level: number, { from = BAKER, round = 0, slot = 0 } = {}): Promise<SignResult> {
    const payload = attestation({ level, round, slot }).toString("hex");
    const options = { localAddress: from, retries: 0, signal: AbortSignal.timeout(5_000) };
    const answer = await sign(`http://${MACHINE}:6732`, this.address, payload, options);
    if (answer.signature !== undefined) this.verify(payload, answer.signature);
    return answer;
  }

  /** @throws Error if Taquito does not take the signature */
  verify(payload: string, signature: string): void {
    if (!verifySignature(payload, this.publicKey, signature))
      throw new Error(`The signature ${signature} does not verify`);
  }

  /** Waits for a signature of the baker's; @returns when it came, milliseconds since 1970 */
  async signature(machine: Machine, level: number, seconds = 90): Promise<number> {
    return machine.until("a signature", seconds, async () => {
      const answer = await this.sign(level).catch(() => undefined);
      return answer?.status === 200 ? Date.now() : undefined;
    });
  }

  /** What Azure's image and network bring that this root does not: names, trust, where apt looks, a locale. */
  #image(root: string, watch: number): Record<string, string> {
    const trusted = readFileSync(join(root, "etc/ssl/certs/ca-certificates.crt"), "utf8");
    return {
      "/etc/apt/sources.list": `deb [trusted=yes] http://${GATEWAY}:8080/apt ./\n`,
      "/etc/hosts": `127.0.0.1 localhost\n${GATEWAY} ${VAULT_HOST}\n${TABLE} ${TABLE_HOST}\n${BLOB} ${BLOB_HOST}\n`,
      "/etc/ssl/emulated.pem": this.#authorities,
      "/etc/ssl/certs/ca-certificates.crt": `${trusted}${this.#authorities}`,
      "/etc/systemd/system/tezos-signer.service.d/trust.conf":
        "[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/ssl/emulated.pem\n",
      "/etc/systemd/system/tezos-signer-updater.service.d/watch.conf": `[Service]\nEnvironment=WATCH_SECONDS=${watch}\n`,
      "/etc/cloud/cloud.cfg.d/99-container.cfg": "locale: C.UTF-8\n",
    };
  }
}

let only: Promise<World> | undefined;
