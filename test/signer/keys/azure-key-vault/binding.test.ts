import { expect } from "chai";
import type { SignerError } from "../../../../signer/errors.ts";
import { requireOwnStore } from "../../../../signer/keys/store-binding.ts";
import type { KeyOptions, KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import { closeRig, type Rig, type RigOptions, startRig, until } from "./vault-rig.ts";

const TAG = "tezos-signer-watermarks";
const SAME = Buffer.alloc(32, 5);
const OTHER = Buffer.alloc(32, 6);
const tagged = (storeId: string, more: KeyOptions = {}): KeyOptions => ({
  secret: SAME,
  tags: { [TAG]: storeId },
  ...more,
});

/** What a signer on a store makes of the key. */
type Outcome = "own" | "other store" | "several stores" | "not known";

interface Arrangement {
  readonly keys: readonly (readonly [string, KeyOptions])[];
  readonly include?: RigOptions["include"];
  readonly arrange?: (vault: KeyVaultEmulator) => unknown;
  /** For a signer on the store S1, and for one on S2. */
  readonly expected: readonly [Outcome, Outcome];
}

const AGES_AGO = 1_600_000_000;

/** Each is a vault that holds one key in some way; the key is called SAME. */
const ARRANGEMENTS: Record<string, Arrangement> = {
  "two names, two stores": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2")],
    ],
    expected: ["several stores", "several stores"],
  },
  "two names, two stores, one of them left out by the settings": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2")],
    ],
    include: ["a"],
    expected: ["several stores", "several stores"],
  },
  "two versions of one name, two stores": {
    keys: [
      ["a", tagged("S1")],
      ["a", tagged("S2")],
    ],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on the newest version of a name that held another key before": {
    keys: [
      ["a", { secret: OTHER }],
      ["a", tagged("S2")],
      ["b", tagged("S1")],
    ],
    include: ["b"],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on an old version of a name that holds another key now": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2")],
      ["b", { secret: OTHER }],
    ],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on the second page of thirty versions": {
    keys: [
      ["a", tagged("S1")],
      ...Array.from({ length: 30 }, () => ["b", { secret: OTHER }] as const),
      ["b", tagged("S2")],
      ["b", { secret: OTHER }],
    ],
    include: ["a"],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on a disabled version, which a click enables": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { enabled: false })],
    ],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on an expired version": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { exp: AGES_AGO })],
    ],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on a version that may not sign": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { ops: ["verify"] })],
    ],
    expected: ["several stores", "several stores"],
  },
  "another store's tag on the preview's name of the curve": {
    keys: [
      ["a", tagged("S1", { crv: "P-256K" })],
      ["b", tagged("S2", { crv: "SECP256K1" })],
    ],
    expected: ["several stores", "several stores"],
  },
  "two names, one store": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S1")],
    ],
    expected: ["own", "other store"],
  },
  "a version without a tag beside one that has one": {
    keys: [
      ["a", { secret: SAME }],
      ["b", tagged("S1")],
    ],
    expected: ["own", "other store"],
  },
  "a version without a tag alone in the settings, beside one that has one": {
    keys: [
      ["a", { secret: SAME }],
      ["b", tagged("S1")],
    ],
    include: ["a"],
    expected: ["own", "other store"],
  },
  "an unbound version beside one that is bound": {
    keys: [
      ["a", tagged("unbound")],
      ["b", tagged("S1")],
    ],
    expected: ["own", "other store"],
  },
  "an unbound version alone in the settings, beside one that is bound": {
    keys: [
      ["a", tagged("unbound")],
      ["b", tagged("S1")],
    ],
    include: ["a"],
    expected: ["other store", "other store"],
  },
  "no tag at all": {
    keys: [
      ["a", { secret: SAME }],
      ["b", { secret: SAME }],
    ],
    expected: ["own", "own"],
  },
  "another key's store": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { secret: OTHER })],
    ],
    expected: ["own", "other store"],
  },
  "another store's tag on what is no Tezos key": {
    keys: [
      ["a", tagged("S1")],
      ["b", { kty: "RSA", tags: { [TAG]: "S2" } }],
    ],
    expected: ["own", "other store"],
  },
  "another store's tag on a disabled version that the vault does not let anybody read": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { enabled: false })],
    ],
    arrange: (vault) => vault.showDisabledKeys(false),
    expected: ["own", "other store"],
  },
  "another store's tag on a version that cannot be read": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S2", { secret: OTHER })],
    ],
    include: ["a"],
    arrange: (vault) => vault.faults.rate([{ kind: "status", status: 400, on: "get", key: "b", rate: 1 }]),
    expected: ["not known", "not known"],
  },
  "the same store's tag on a version that cannot be read": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S1")],
    ],
    include: ["a"],
    arrange: (vault) => vault.faults.rate([{ kind: "status", status: 400, on: "get", key: "b", rate: 1 }]),
    expected: ["own", "other store"],
  },
  "a name whose versions cannot be listed": {
    keys: [
      ["a", tagged("S1")],
      ["b", tagged("S1")],
    ],
    include: ["a"],
    arrange: (vault) => vault.faults.rate([{ kind: "status", status: 403, on: "versions", key: "b", rate: 1 }]),
    expected: ["not known", "not known"],
  },
};

describe("which store guards a vault's key", () => {
  let rig: Rig;
  afterEach(() => closeRig(rig));

  const REASONS: readonly [Outcome, RegExp][] = [
    ["several stores", /holds the key tz\w+ more than once.*(names S1.*names S2|names S2.*names S1).*keys bind/],
    ["not known", /is the key tz\w+ too is not known/],
    ["other store", /is bound to the watermark store/],
  ];

  /** What a signer on a store makes of the key SAME. */
  function outcome(storeId: string): Outcome {
    const key = [...rig.keyring.keys.values()].find(({ location }) => /\/keys\/[ab]\//.test(location));
    if (key === undefined) throw new Error(`the key is not here: ${rig.keyring.problem?.()}`);
    try {
      requireOwnStore(key, storeId);
      return "own";
    } catch (error) {
      const { code, message } = error as SignerError;
      expect(code).to.equal("watermark-untrusted");
      const known = REASONS.find(([, pattern]) => pattern.test(message));
      if (known === undefined) throw error;
      return known[0];
    }
  }

  for (const [what, { keys, include = ["a", "b"], arrange, expected }] of Object.entries(ARRANGEMENTS)) {
    it(`is found for ${what}`, async () => {
      rig = await startRig({
        include,
        before: ({ vault }) => {
          // In their order, though the vault's times are whole seconds.
          for (const [name, options] of keys) vault.createKey(name, options);
          arrange?.(vault);
        },
      });
      expect([outcome("S1"), outcome("S2")]).to.deep.equal(expected);
    });
  }

  const stores = () => [...rig.keyring.keys.values()].map(({ boundStoreId }) => boundStoreId);
  const refused = () => [...rig.keyring.keys.values()].filter((key) => key.bindingConflict !== undefined).length;
  const lines = (pattern: RegExp) => rig.lines.filter(({ msg }) => pattern.test(String(msg)));

  it("is looked at as long as the signer runs: a second tag stops the key, and one tag for all of it starts it again", async () => {
    rig = await startRig({ include: ["a"], before: ({ vault }) => vault.createKey("a", tagged("S1")) });
    const key = rig.keyring.keys.values().next().value;
    expect(outcome("S1")).to.equal("own");
    const { kid } = rig.vault.createKey("b", tagged("S2", { enabled: false })).key;
    await until(() => outcome("S1") === "several stores");
    // The very object that a request under way holds.
    expect(key?.bindingConflict).to.contain(`${kid} names S2 (disabled)`);
    expect(rig.keyring.keys.size).to.equal(1);
    await until(() => lines(/is not served/).length === 1);
    rig.vault.updateKey("b", { tags: { [TAG]: "S1" } });
    await until(() => outcome("S1") === "own");
    expect(outcome("S2")).to.equal("other store");
    rig.vault.updateKey("a", { tags: { [TAG]: "S3" } });
    await until(() => refused() === 1);
    rig.vault.deleteKey("b");
    await until(() => refused() === 0);
    expect(stores()).to.deep.equal(["S3"]);
  });

  /** How a key's tag goes, without another one that is meant, and under which name the key lies then. */
  const WITHOUT_TAG: readonly (readonly [string, "a" | "b", (vault: KeyVaultEmulator) => unknown])[] = [
    ["other tags are written over its own", "a", (vault) => vault.updateKey("a", { tags: { owner: "us" } })],
    [
      "the name that has the tag is deleted, and one without is left",
      "b",
      (vault) => {
        vault.createKey("b", { secret: SAME });
        vault.deleteKey("a");
      },
    ],
  ];
  for (const [what, name, free] of WITHOUT_TAG) {
    it(`stays what it was as long as the signer runs, where ${what}`, async () => {
      rig = await startRig({ include: ["a", "b"], before: ({ vault }) => vault.createKey("a", tagged("S1")) });
      expect(outcome("S2")).to.equal("other store");
      free(rig.vault);
      const { calls } = rig.vault;
      const before = calls.list;
      await until(() => calls.list >= before + 2);
      expect([outcome("S1"), outcome("S2")]).to.deep.equal(["own", "other store"]);
      await until(
        () => lines(/names no watermark store and is taken to be bound to S1: so it was tagged/).length === 1,
      );
      rig.vault.updateKey(name, { tags: { [TAG]: "S2" } });
      await until(() => outcome("S2") === "own");
      expect(outcome("S1")).to.equal("other store");
    });
  }

  it("stays unbound where it was, and the tag that says so is taken away", async () => {
    rig = await startRig({ include: ["a"], before: ({ vault }) => vault.createKey("a", tagged("unbound")) });
    rig.vault.updateKey("a", { tags: {} });
    const { calls } = rig.vault;
    const before = calls.list;
    await until(() => calls.list >= before + 2);
    expect(outcome("S1")).to.equal("other store");
    await until(() => lines(/names no watermark store and is taken to be unbound: /).length === 1);
  });

  it("is noticed for a version that a rotation has made an old one, while it is still served", async () => {
    rig = await startRig({ include: ["a"], before: ({ vault }) => vault.createKey("a", tagged("S1")) });
    const { location } = rig.key();
    rig.vault.createKey("a", tagged("S1", { secret: OTHER }));
    await until(() => rig.keyring.keys.size === 2);
    rig.vault.updateKey("a", { tags: { [TAG]: "S2" } }, location.split("/").at(-1));
    await until(() => stores().includes("S2"));
    expect(stores()).to.have.members(["S1", "S2"]);
  });

  it("that is not known for a while takes no key away that is served, and lets none be served for another store", async () => {
    rig = await startRig({ include: ["a"], before: ({ vault }) => vault.createKey("a", tagged("S1")) });
    const { vault } = rig;
    vault.faults.rate([{ kind: "status", status: 400, on: "get", key: "b", rate: 1 }]);
    vault.createKey("b", tagged("S2", { secret: OTHER }));
    const looks = async (count: number) => {
      const before = vault.calls.list;
      await until(() => vault.calls.list >= before + count);
    };
    await looks(3);
    expect([outcome("S1"), outcome("S2")]).to.deep.equal(["own", "other store"]);
    vault.updateKey("a", { tags: { [TAG]: "S3" } });
    await until(() => outcome("S3") === "not known");
    vault.faults.clear();
    await until(() => outcome("S3") === "own");
  });

  it("chooses the version that names it, and says of one that names none that it should", async () => {
    rig = await startRig({
      include: ["a", "b", "c"],
      before: ({ vault }) => {
        vault.createKey("a", tagged("unbound"));
        vault.createKey("b", { secret: SAME });
      },
    });
    const served = () => [...rig.keyring.keys.values()].map(({ location }) => location.split("/").at(-2));
    expect(served()).to.deep.equal(["b"]);
    rig.vault.createKey("c", tagged("S1"));
    await until(() => served()[0] === "c");
    expect(lines(/key (a|b) is left out: it is the same key as .*\/c\//)).to.have.length(2);
    rig.vault.updateKey("c", { enabled: false });
    await until(() => served()[0] === "b");
    expect(stores()).to.deep.equal(["S1"]);
    await until(() => lines(/key b names no watermark store and is taken to be bound to S1/).length === 1);
  });

  it("is asked for with one list a look, and one more for each name of several versions, while nothing changes", async () => {
    const old = (name: string, options: KeyOptions) => (vault: KeyVaultEmulator) => {
      vault.createKey(name, options);
      vault.updateKey(name, { updated: AGES_AGO });
    };
    const keys = [
      old("a", tagged("S1")),
      old("b", tagged("S1")),
      old("b", tagged("S1", { enabled: false })),
      old("c", { kty: "RSA", tags: { [TAG]: "S2" } }),
      old("d", tagged("S2", { secret: OTHER })),
      old("hidden", tagged("S2", { secret: OTHER, enabled: false })),
    ];
    rig = await startRig({
      include: ["a"],
      before: ({ vault }) => {
        vault.showDisabledKeys(false);
        for (const make of keys) make(vault);
        vault.updateKey("baker", { updated: AGES_AGO });
      },
    });
    const { calls } = rig.vault;
    await until(() => calls.list > 1);
    rig.vault.resetCalls();
    await until(() => calls.list === 4);
    expect(calls.get).to.equal(0);
    // The look at the time of the reset may have its versions to ask for yet, and so may the last one.
    expect(calls.versions).to.be.within(3, 5);
    expect(calls.unauthorized).to.equal(0);
  });
});
