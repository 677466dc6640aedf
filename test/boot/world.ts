import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { verifySignature } from "@taquito/utils";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { importClosure } from "../../cloud-init/closure.ts";
import { machineSource } from "../../cloud-init/machine-source.ts";
import { NODE_RELEASE, type NodeRelease } from "../../cloud-init/node-release.ts";
import { customData, type MachineParameters } from "../../cloud-init/user-data.ts";
import { generateLocalKey, localPassphrase } from "../../signer/keys/local.ts";
import { Imds } from "../support/key-vault/imds.ts";
import { type SignResult, sign } from "../support/octez-client.ts";
import { attestation } from "../support/payloads.ts";
import { Downloads } from "./downloads.ts";
import { BAKER, connectNetwork, GATEWAY, IMDS, MACHINE, Machine } from "./machine.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STATE = "/var/lib/tezos-signer";

/** Everything outside the machine: the downloads, Azure's metadata, the baker. */
export class World {
  readonly downloads: Downloads;
  readonly imds: Imds;
  readonly address: string;
  readonly #publicKey: string;
  readonly #keys: Readonly<Record<string, string>>;
  readonly #checkout = readCheckout(ROOT);

  static async start(): Promise<World> {
    connectNetwork();
    const { BOOT_SUPPLIES: supplies = "" } = process.env;
    const downloads = new Downloads(supplies, readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    await downloads.listen(GATEWAY, 8080);
    const imds = await Imds.start({ host: IMDS, port: 80, identities: [] });
    const folder = mkdtempSync(join(tmpdir(), "boot-keys-"));
    try {
      const { address, base58 } = await generateLocalKey("P-256", join(folder, "a.pem"), await localPassphrase(folder));
      const keys = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);
      return new World(downloads, imds, { address, publicKey: base58, keys: Object.fromEntries(keys) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  private constructor(
    downloads: Downloads,
    imds: Imds,
    key: { address: string; publicKey: string; keys: Record<string, string> },
  ) {
    this.downloads = downloads;
    this.imds = imds;
    this.address = key.address;
    this.#publicKey = key.publicKey;
    this.#keys = key.keys;
  }

  async stop(): Promise<void> {
    this.downloads.close();
    await this.imds.stop();
  }

  /** The pinned release as this world serves it: the official tarball is not to be had here. */
  get node(): NodeRelease {
    const { nodeSha256: hash, url } = this.downloads;
    return { ...NODE_RELEASE, baseUrl: `${url}/dist`, sha256: { x64: hash, arm64: hash } };
  }

  customData(parameters: Partial<MachineParameters> = {}): Uint8Array {
    return customData(this.#checkout, { ssh: true, maintenance: "04:30", node: this.node, ...parameters });
  }

  /** A machine as the stack would make it, switched off. */
  machine(parameters: Partial<MachineParameters> = {}): Machine {
    const { BOOT_ROOT: root = "" } = process.env;
    const files = { ...this.#image(), ...this.#localBackend() };
    return new Machine({ root, customData: this.customData(parameters), files });
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

  /** What Azure's image and network bring that this root does not: where npm and apt are to look, and a locale. */
  #image(): Record<string, string> {
    return {
      "/root/.npmrc": `registry=${this.downloads.url}/npm/\n`,
      "/etc/apt/sources.list": `deb [trusted=yes] ${this.downloads.url}/apt ./\n`,
      "/etc/cloud/cloud.cfg.d/99-container.cfg": "locale: C.UTF-8\n",
    };
  }

  /** Local keys and watermarks, which no machine in Azure has: their code, a key, and settings that name them. */
  #localBackend(): Record<string, string> {
    const settings = {
      listen: { host: "0.0.0.0" },
      keys: { kind: "local", path: `${STATE}/keys` },
      watermarks: { kind: "sqlite", path: `${STATE}/watermarks.sqlite`, initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["block", "preattestation", "attestation"] } },
      allowedAddresses: [`${BAKER}/32`],
    };
    const unit = this.#checkout.get("cloud-init/files/etc/systemd/system/tezos-signer.service") ?? "";
    // Without Node's permission model, which forbids the fsync that a local watermark needs.
    const command = /^ExecStart=(.*) --user-data$/m.exec(unit)?.[1]?.replace(/ --permission( --allow-\S+)+/, "");
    const code = ["signer/keys/local.ts", "signer/watermark/sqlite-store.ts"].flatMap((entry) =>
      importClosure(this.#checkout, entry).map((path) => {
        return [`/opt/tezos-signer/${path}`, machineSource(path, this.#checkout.get(path) ?? "")];
      }),
    );
    return {
      ...Object.fromEntries(code),
      ...Object.fromEntries(Object.entries(this.#keys).map(([name, text]) => [`${STATE}/keys/${name}`, text])),
      [`${STATE}/settings.yaml`]: JSON.stringify(settings),
      "/etc/systemd/system/tezos-signer.service.d/local-keys.conf": `[Service]\nExecStart=\nExecStart=${command} --config ${STATE}/settings.yaml\n`,
    };
  }
}
