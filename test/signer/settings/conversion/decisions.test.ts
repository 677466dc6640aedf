import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { parse } from "yaml";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { localPassphrase } from "../../../../signer/keys/local/keyring.ts";
import { SETTINGS_SOURCES, type SettingsSourceName } from "../../../../signer/settings/conversion/sources.ts";
import { secretKeyFromBase58 } from "../../../../signer/tezos/crypto/secret-key.ts";
import { MAINNET, OTHER, SOURCE } from "../../../fixtures/payloads.ts";
import { REQUESTS } from "../../../fixtures/policy-requests.ts";
import { type Row, SIGNATORY_TABLES, signatoryConfig, type Verdict } from "../../../fixtures/signatory-tables.ts";
import { vectors } from "../../../fixtures/vectors.ts";
import { quickPem } from "../../../harness/local-key.ts";
import { WiredSigner } from "../../../harness/wired-signer.ts";

/**
 * What the converted settings decide, beside what the original's documents and code say, each table with its source. Where the
 * two differ the report must say so.
 * @module
 */

interface Table {
  readonly what: string;
  readonly source: string;
  readonly from: SettingsSourceName;
  readonly files: readonly string[];
  readonly address?: string;
  readonly rows: readonly Row[];
}

const TEZIO = `
security: { remote_ip_check: True, auth_check: False, signing_policy_check: True, high_water_mark_check: True }
allowed_ips: ["127.0.0.1"]
policy:
  signing_keys:
    "${OTHER}": { curve_alias: 2, allowed_ops: [0x03], auth_req: True, auth_prefix: "040101" }
    "${SOURCE}": { curve_alias: 3, allowed_ops: [0x03, 0x11, 0x12, 0x13], auth_req: True, auth_prefix: "040102" }
  auth_key: { pkh: "tz3RunZg4JQw5Hiy7mDpPCTgVpiCXkP9JMT6", curve_alias: 0 }
`;
const TACOINFRA = (policy: object) =>
  JSON.stringify({
    chain_ratchet: "dynamodb",
    ddb_table: "baking_table",
    aws_region: "eu-west-1",
    hsm_username: "resigner",
    hsm_slot: 1,
    hsm_lib: "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
    keys: { [SOURCE]: { public_key: "p2pk67", signer: "pkcs11_hsm", signer_args: ["baking-key-tokyo"] } },
    policy,
  });
const GUIDE = (options: string) =>
  `[Service]\nEnvironment = NODE_ENV=production\nEnvironment = AZURE_KEYVAULT_URI=https://mine.vault.azure.net/\nExecStart = /usr/bin/node server.js --address=0.0.0.0${options}\n`;
const TEZZIGATOR = `config = {
    'kv_name_domain': 'testhostname',  # this name to be used for the vault domain
    'node_addr': 'http://127.0.0.1:8732',
    'keys': {},  # to be auto-populated
}
if __name__ == '__main__':
    app.run(host='0.0.0.0', port=5001, debug=False)
`;

const NO_DRAIN = "drain_delegate";

const TABLES: readonly Table[] = [
  ...SIGNATORY_TABLES.map(
    ({ rule, ...table }): Table => ({
      ...table,
      from: "signatory",
      files: [signatoryConfig(rule)],
    }),
  ),
  {
    what: "Tezio's sample, its tz3 key",
    source: "prof-groff/tezio@bc67eef6 signer/config.yaml; seed README: allowed operations are enumerated for each key",
    from: "tezio",
    files: [TEZIO],
    rows: [
      ["block", "sign", "allow"],
      ["attestation", "sign", "allow"],
      ["attestation with DAL", "sign", "allow"],
      ["transfer", "sign", "allow"],
      ["ballot nay", "sign", "allow"],
      ["drain delegate", "sign", "refuse", NO_DRAIN],
      ["packed data", "refuse", "refuse"],
      ["block of before Tenderbake", "refuse", "refuse"],
    ],
  },
  {
    what: "Tezio's sample, its tz2 key",
    source: "prof-groff/tezio@bc67eef6 signer/config.yaml",
    from: "tezio",
    files: [TEZIO],
    address: OTHER,
    rows: [
      ["block", "refuse", "refuse"],
      ["transfer", "sign", "allow"],
    ],
  },
  {
    what: "the guide's unit",
    source:
      "lattejed/tezos-azure-hsm-signer@be113f27 README.md, tezos-signer.service.template, controllers/sign-message.js",
    from: "lattejed",
    files: [GUIDE("")],
    rows: [
      ["block of before Tenderbake", "sign", "refuse", "0x01 is of before Tenderbake"],
      ["block", "ask", "allow", "took its place"],
      ["attestation", "ask", "allow", "took its place"],
      ["transfer", "ask", "confirm"],
      ["ballot nay", "ask", "confirm"],
      ["packed data", "ask", "confirm"],
      ["drain delegate", "ask", "refuse", NO_DRAIN],
    ],
  },
  {
    what: "the guide's signer with transfers and today's votes, not blocks",
    source: "lattejed/tezos-azure-hsm-signer@be113f27 models/operation.js, allowedOp",
    from: "lattejed",
    files: [GUIDE(" -M 0x03,0x12,0x13")],
    rows: [
      ["block", "ask", "refuse", "cannot wait"],
      ["preattestation", "sign", "allow"],
      ["transfer", "sign", "allow"],
      ["packed data", "ask", "confirm"],
    ],
  },
  {
    what: "tacoinfra's README, without a vote of nay",
    source: "tacoinfra/remote-signer@d957f5b8 README.md, ValidateSigner; tezos_signer/validatesigner.py",
    from: "tacoinfra",
    files: [TACOINFRA({ baking: 1, voting: ["aye", "pass"], allow_all: 0 })],
    rows: [
      ["block", "sign", "allow"],
      ["preattestation", "sign", "allow"],
      ["attestation with DAL", "sign", "allow"],
      ["ballot yay", "sign", "confirm", "ballots wait"],
      ["ballot nay", "refuse", "confirm", "ballots wait"],
      ["transfer", "refuse", "refuse"],
      ["packed data", "refuse", "refuse"],
      ["block of before Tenderbake", "refuse", "refuse"],
    ],
  },
  {
    what: "tacoinfra's signer for votes alone",
    source: "tacoinfra/remote-signer@d957f5b8 tezos_signer/validatesigner.py",
    from: "tacoinfra",
    files: [TACOINFRA({ voting: ["yay", "nay", "pass"] })],
    rows: [
      ["block", "refuse", "refuse"],
      ["ballot nay", "sign", "allow"],
      ["transfer", "refuse", "refuse"],
    ],
  },
  {
    what: "tacoinfra's allow_all",
    source:
      "tacoinfra/remote-signer@d957f5b8 README.md: all requests are allowed; validatesigner.py: baking must be, too",
    from: "tacoinfra",
    files: [TACOINFRA({ baking: 1, allow_all: 1 })],
    rows: [
      ["block", "sign", "allow"],
      ["transfer", "sign", "allow"],
      ["stake", "sign", "allow"],
      ["packed data", "sign", "allow"],
      ["drain delegate", "sign", "refuse", NO_DRAIN],
    ],
  },
  {
    what: "tezzigator's signer, asked from elsewhere",
    source: "tezzigator/azure-tezos-signer@361f15b2 README.md: remote hosts can only sign blocks and endorsements",
    from: "tezzigator",
    files: [TEZZIGATOR],
    rows: [
      ["block", "sign", "allow"],
      ["attestation", "sign", "allow"],
      ["transfer", "refuse", "confirm", "A person says yes"],
    ],
  },
  {
    what: "octez-signer with magic bytes",
    source: "octez bin_signer/main_signer.ml: values allowed for the magic bytes",
    from: "octez-signer",
    files: ["ExecStart=/usr/bin/octez-signer -d /var/lib/signer launch http signer -a 0.0.0.0 -W -M 0x11,0x12,0x13\n"],
    rows: [
      ["block", "sign", "allow"],
      ["preattestation", "sign", "allow"],
      ["attestation with DAL", "sign", "allow"],
      ["transfer", "refuse", "refuse"],
      ["packed data", "refuse", "refuse"],
    ],
  },
  {
    what: "octez-signer without magic bytes",
    source: "octez bin_signer/main_signer.ml: defaults to any",
    from: "octez-signer",
    files: ["octez-signer launch http signer\n"],
    rows: [
      ["block", "sign", "allow"],
      ["transfer", "sign", "allow"],
      ["packed data", "sign", "allow"],
      ["drain delegate", "sign", "refuse", NO_DRAIN],
      ["block of before Tenderbake", "sign", "refuse", "everything was signed"],
    ],
  },
];

const SAME: Readonly<Record<string, Verdict>> = { sign: "allow", ask: "confirm", refuse: "refuse" };

/** A node whose head is near the levels of the requests. */
async function startNode() {
  const timestamp = new Date().toISOString();
  const head = JSON.stringify({ chain_id: MAINNET, level: 100, timestamp });
  const node = createServer((_request, response) => void response.end(head)).listen(0, "127.0.0.1");
  await once(node, "listening");
  const { port } = node.address() as AddressInfo;
  const stop = () => {
    node.close();
    node.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: stop };
}

describe("a signer with converted settings", () => {
  let signer: WiredSigner;
  before(async () => {
    signer = await WiredSigner.make();
    const passphrase = await localPassphrase(signer.file("known"));
    for (const { pkh, sk } of vectors.keys.filter(({ pkh }: { pkh: string }) => [SOURCE, OTHER].includes(pkh))) {
      const { curve, scalar } = secretKeyFromBase58(sk);
      using key = new PrivateKey(curve, scalar);
      writeFileSync(signer.file(`known/${pkh}.pem`), quickPem(key, passphrase), { mode: 0o600 });
    }
  });
  after(() => signer?.[Symbol.asyncDispose]());
  beforeEach(() => signer.renewStore());
  afterEach(() => signer.stop());

  /** Asks for a signature; nobody is there who could confirm. */
  async function ask(address: string, payload: Buffer): Promise<Verdict> {
    const body = JSON.stringify(payload.toString("hex"));
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${signer.running.url}/keys/${address}`, { method: "POST", body, headers });
    const text = await answer.text();
    if (answer.status === 200) return "allow";
    expect(answer.status, text).to.be.oneOf([400, 403]);
    return text.includes("A person must confirm the request") ? "confirm" : "refuse";
  }

  for (const { what, source, from, files, address = SOURCE, rows } of TABLES) {
    it(`decides as ${what} (${source})`, async () => {
      const [first = "", ...others] = files;
      const { settings, notes } = SETTINGS_SOURCES[from].convert(first, others);
      const { listen, admin, keys, watermarks, confirmation, head, ...own } = parse(settings);
      using node = await startNode();
      // Where it listens, what it keeps and where its keys and the chain's node are is this test's; whatever else is converted.
      await signer.start({
        ...own,
        keys: { kind: "local", path: signer.file("known") },
        ...(confirmation && { confirmation: { socket: signer.file("confirm.sock") } }),
        ...(head && { head: { ...head, node: node.url } }),
      });
      while (head && !signer.lines.some(({ msg }) => msg === "the chain's head is known")) await sleep(20);
      const report = notes.map(({ place, text }) => `${place}: ${text}`).join("\n");
      for (const [request, original, ours, told] of rows) {
        expect(await ask(address, REQUESTS[request]), request).to.equal(ours);
        if (SAME[original] !== ours)
          expect(told, `${request}: differs, and no line of the report is named`).to.be.a("string");
        if (told !== undefined) expect(report, request).to.include(told);
      }
    });
  }
});
