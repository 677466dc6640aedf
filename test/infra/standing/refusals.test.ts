import { expect } from "chai";
import { refusals, type Selected, type Wanted } from "../../../infra/standing/refusals.ts";
import type { StandingSigner } from "../../../infra/standing/standing-signer.ts";

const SUBSCRIPTION = "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";
const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const SCOPE = `/subscriptions/${SUBSCRIPTION}/resourceGroups/tezos-signer-dev/providers/Microsoft.KeyVault/vaults/tezos-1`;
const NETWORK = "/resourceGroups/tezos-signer-dev/providers/Microsoft.Network/virtualNetworks/signer-network";
const LOCK = {
  urn: "urn:pulumi:dev::tezos-signer::vault-lock",
  id: `${SCOPE}/providers/Microsoft.Authorization/locks/keeps-the-keys`,
  scope: SCOPE,
  lockName: "keeps-the-keys",
};

const STANDING: StandingSigner = {
  subscription: SUBSCRIPTION,
  tenant: TENANT,
  location: "northeurope",
  resourceGroup: "tezos-signer-dev",
  forgottenVault: undefined,
  network: `/subscriptions/${SUBSCRIPTION}${NETWORK}`,
  keys: { baker: "P-256" },
  isBalanced: false,
  isMonitored: true,
  isProduction: true,
  vaultLock: LOCK,
  accountLock: { ...LOCK, lockName: "keeps-the-watermarks" },
};

const WANTED: Wanted = {
  resourceGroup: "tezos-signer-dev",
  network: NETWORK,
  location: "northeurope",
  production: true,
  monitoring: true,
  keys: [{ name: "baker", curve: "P-256", source: "generate" }],
  instances: 1,
  balancer: false,
};

const SELECTED: Selected = { subscription: SUBSCRIPTION, tenant: TENANT, isVaultLocked: true };

/** Nothing of the signer stands yet. */
const NOTHING: StandingSigner = {
  subscription: undefined,
  tenant: undefined,
  location: undefined,
  resourceGroup: undefined,
  forgottenVault: undefined,
  network: undefined,
  keys: {},
  isBalanced: false,
  isMonitored: false,
  isProduction: false,
  vaultLock: undefined,
  accountLock: undefined,
};

const THROW_AWAY: StandingSigner = { ...STANDING, isProduction: false, vaultLock: undefined, accountLock: undefined };

describe("what a signer that stands does not become", () => {
  const told = (
    wanted: Partial<Wanted> = {},
    standing: Partial<StandingSigner> = {},
    selected: Partial<Selected> = {},
  ) => refusals({ ...STANDING, ...standing }, { ...WANTED, ...wanted }, { ...SELECTED, ...selected });

  it("without the balancer that has its address; with it in front of one machine it goes on", () => {
    const balanced = { ...STANDING, isBalanced: true };
    expect(refusals(balanced, WANTED, SELECTED)[0]).to.match(/^instances = 1: .*pulumi config set balancer true/);
    expect(refusals(balanced, { ...WANTED, balancer: true }, SELECTED)).to.deep.equal([]);
    expect(refusals(balanced, { ...WANTED, instances: 2 }, SELECTED)).to.deep.equal([]);
    expect(refusals(STANDING, { ...WANTED, instances: 2 }, SELECTED)).to.deep.equal([]);
  });

  it("is nothing of what it is, or of a signer that does not stand", () => {
    expect(told()).to.deep.equal([]);
    const another = {
      location: "westeurope",
      resourceGroup: "another",
      production: false,
      monitoring: false,
      keys: [],
    };
    expect(refusals(NOTHING, { ...WANTED, ...another }, { ...SELECTED, subscription: "another" })).to.deep.equal([]);
  });

  it("is a signer in another subscription; which one is to be selected is told as a command", () => {
    const [sentence, ...others] = told({}, {}, { subscription: "other" });
    expect(others).to.deep.equal([]);
    expect(sentence)
      .to.include(`subscription other is selected, and the signer stands in ${SUBSCRIPTION}`)
      .and.to.include(`az account set --subscription ${SUBSCRIPTION}`)
      .and.to.include("ARM_SUBSCRIPTION_ID")
      .and.not.to.include("az login");
    expect(told({}, {}, { subscription: "other", tenant: "t" })[0]).to.include(
      `az login --tenant ${TENANT}; az account`,
    );
  });

  it("is judged by the subscription alone: whoever is let in from another tenant has it as well", () => {
    expect(told({}, {}, { tenant: "another" })).to.deep.equal([]);
    expect(told({}, {}, { subscription: SUBSCRIPTION.toUpperCase() })).to.deep.equal([]);
  });

  it("is one in another region or another group, and no group that a preview does not know", () => {
    expect(told({ location: "westeurope" })).to.have.length(1);
    expect(told({ location: "westeurope" })[0]).to.match(
      /^location = westeurope: the signer stands in northeurope, .*pulumi config set location northeurope/,
    );
    expect(told({ resourceGroup: "tezos-signer-new" })[0]).to.match(
      /^the resource group would be tezos-signer-new, and the signer stands in tezos-signer-dev: .*pulumi stack rename/,
    );
    expect(told({ resourceGroup: "TEZOS-signer-dev" })).to.deep.equal([]);
    expect(told({ resourceGroup: undefined })).to.deep.equal([]);
  });

  it("is one in another virtual network, and may be one in another subnet of the same", () => {
    const given = `/subscriptions/${SUBSCRIPTION}/resourceGroups/site/providers/Microsoft.Network/virtualNetworks/site`;
    expect(told({ network: given })[0]).to.match(
      /^subnetId: .*virtualNetworks\/signer-network, and would be in .*\/site: /,
    );
    expect(told({}, { network: given })).to.have.length(1);
    expect(told({ network: given.toUpperCase() }, { network: given })).to.deep.equal([]);
    expect(told({ network: undefined }, { network: given })).to.deep.equal([]);
    expect(told({ network: given }, { network: undefined })).to.deep.equal([]);
  });

  it("is one in which a key of the same name has another curve; more keys may come", () => {
    const more = { name: "manager", curve: "P-256K", source: "generate" } as const;
    expect(told({ keys: [...WANTED.keys, more] })).to.deep.equal([]);
    expect(told({ keys: [{ name: "baker", curve: "P-256K", source: "generate" }] })[0]).to.include(
      "keys: baker has the curve P-256 and cannot get P-256K",
    );
  });

  it("is a production one with a key fewer; a test one forgets its keys", () => {
    expect(told({ keys: [] })[0]).to.include("keys: baker is in the vault of this production stack, which keeps it");
    expect(refusals(THROW_AWAY, { ...WANTED, production: false, keys: [] }, SELECTED)).to.deep.equal([]);
    // Turned to production in the same up: nothing is protected yet.
    expect(refusals(THROW_AWAY, { ...WANTED, keys: [] }, SELECTED)).to.deep.equal([]);
  });

  it("is a test one after production has locked or protected anything", () => {
    expect(told({ production: false })).to.have.length(1);
    expect(told({ production: false })[0]).to.match(/^production = false: .*docs\/destroy.md$/);
    expect(refusals(THROW_AWAY, { ...WANTED, production: false }, SELECTED)).to.deep.equal([]);
  });

  it("is one without an audit log while Azure holds the vault's lock, or is about to", () => {
    const [sentence, ...others] = told({ monitoring: false });
    expect(others).to.deep.equal([]);
    expect(sentence).to.include(`az lock delete --ids ${LOCK.id}`).and.to.include("docs/change.md");
    expect(told({ monitoring: false }, {}, { isVaultLocked: false })).to.deep.equal([]);
    expect(told({ monitoring: false }, { isMonitored: false })).to.deep.equal([]);
    expect(refusals(THROW_AWAY, { ...WANTED, monitoring: false }, { ...SELECTED, isVaultLocked: false })).to.deep.equal(
      [
        "monitoring = false: the lock that production puts on the vault would keep its audit log. Turn monitoring off first, and production on by the next up",
      ],
    );
    expect(refusals(THROW_AWAY, { ...WANTED, monitoring: false, production: false }, SELECTED)).to.deep.equal([]);
  });

  it("is told in one round", () => {
    expect(told({ location: "westeurope", production: false }, {}, { subscription: "other" })).to.have.length(3);
  });
});
