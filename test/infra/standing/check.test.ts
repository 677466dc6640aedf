import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { standsInTheWay } from "../../../infra/standing/check.ts";
import type { Wanted } from "../../../infra/standing/refusals.ts";

const SUBSCRIPTION = "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/tezos-signer-dev`;
const VAULT = `${GROUP}/providers/Microsoft.KeyVault/vaults/tezos-1`;
const LOCK = `${VAULT}/providers/Microsoft.Authorization/locks/keeps-the-keys`;

const WANTED: Wanted = {
  resourceGroup: "tezos-signer-dev",
  network: undefined,
  location: "northeurope",
  production: true,
  monitoring: false,
  keys: [],
  instances: 1,
  balancer: false,
};

/** A production stack with an audit log, as Pulumi remembers it. */
const STANDING = Object.fromEntries(
  [
    ["group", { id: GROUP, location: "northeurope" }],
    ["vault", { id: VAULT, location: "northeurope" }],
    ["vault-lock", { id: LOCK }],
    ["audit-events", {}],
  ].map(([name, outputs]) => [`urn:pulumi:dev::tezos-signer::type::${name}`, { type: "type", outputs }]),
);

type Answers = Readonly<Record<string, () => Record<string, unknown>>>;

const ANSWERS: Answers = {
  "pulumi:pulumi:readStackResourceOutputs": () => ({ outputs: STANDING }),
  "azure-native:authorization:getClientConfig": () => ({ subscriptionId: SUBSCRIPTION, tenantId: "t" }),
  "azure-native:authorization:getManagementLockByScope": () => ({ id: LOCK }),
};

/** Fails as the engine does, whose words are the details of the answer. */
function fails(details: string): never {
  throw Object.assign(new Error(details), { details });
}

/** The vault's part of the program, which is nothing in Azure. */
const HOME = {
  "urn:pulumi:dev::tezos-signer::tezos-signer:infra:KeyVault::key-vault": {
    type: "tezos-signer:infra:KeyVault",
    outputs: { uri: "https://tezos-1.vault.azure.net" },
  },
};

describe("the comparison of a signer with what stands of it", () => {
  let asked: string[] = [];

  /** Asks with other answers than the usual ones. */
  async function told(answers: Answers, wanted: Partial<Wanted> = {}): Promise<string[]> {
    asked = [];
    await pulumi.runtime.setMocks(
      {
        call: ({ token }) => {
          asked.push(token.split(":").at(-1) ?? "");
          return ({ ...ANSWERS, ...answers }[token] ?? fails(`no ${token}`))();
        },
        newResource: ({ inputs }) => ({ id: undefined, state: inputs }),
      },
      "tezos-signer",
      "dev",
      false,
      "organization",
    );
    const signer = new pulumi.ComponentResource("test:Signer", "tezos-signer");
    await pulumi.runtime.disconnect(false); // until it is registered
    return standsInTheWay({ ...WANTED, ...wanted }, (part) => part, signer);
  }

  it("asks Azure which subscription is selected and whether the locks are there, and for nothing else", async () => {
    expect(await told({}, { monitoring: true })).to.deep.equal([]);
    expect(asked).to.have.members(["readStackResourceOutputs", "getClientConfig", "getManagementLockByScope"]);
    expect((await told({}))[0]).to.match(/^monitoring = false: the vault's lock keeps-the-keys/);
  });

  it("asks Azure for nothing where nothing stands", async () => {
    expect(await told({ "pulumi:pulumi:readStackResourceOutputs": () => ({ outputs: {} }) })).to.deep.equal([]);
    expect(await told({ "pulumi:pulumi:readStackResourceOutputs": () => ({}) })).to.deep.equal([]);
    expect(asked).to.deep.equal(["readStackResourceOutputs"]);
  });

  it("asks Azure for nothing where Pulumi remembers no vault any more, whatever else it does", async () => {
    for (const rest of [{}, Object.fromEntries(Object.entries(STANDING).filter(([urn]) => !urn.endsWith("::vault")))]) {
      const read = () => ({ outputs: { ...HOME, ...rest } });
      const [sentence] = await told({ "pulumi:pulumi:readStackResourceOutputs": read });
      expect(sentence).to.match(/^this signer had the vault https:\/\/tezos-1\.vault\.azure\.net, and Pulumi does not/);
      expect(asked).to.deep.equal(["readStackResourceOutputs"]);
    }
  });

  it("takes a lock for gone where Azure says so, and for there where it says anything else", async () => {
    const lock = (message: string) => ({
      "azure-native:authorization:getManagementLockByScope": () => fails(message),
    });
    const gone = 'Status=404 Code="LockNotFound" Message="The lock \'keeps-the-keys\' could not be found."';
    expect(await told(lock(gone))).to.deep.equal([]);
    for (const code of [
      'Status=403 Code="AuthorizationFailed" Message="The client does not have authorization"',
      'Status=429 Code="SubscriptionRequestsThrottled" Message="Number of requests exceeded the limit"',
      'Status=409 Code="ReadOnlyDisabledSubscription" Message="The subscription is disabled"',
      "dial tcp: lookup management.azure.com: no such host",
    ]) {
      expect(await told(lock(code)), code).to.have.length(1);
    }
  });

  it("goes no further where Pulumi or Azure do not tell, and says why", async () => {
    const unknown = { "pulumi:pulumi:readStackResourceOutputs": () => fails('unknown stack "dev"') };
    const expired = { "azure-native:authorization:getClientConfig": () => fails("AADSTS70043: the token has expired") };
    for (const [answers, sentence] of [
      [unknown, /^Pulumi does not tell what the stack holds, so nothing was done: .*unknown stack "dev"/],
      [expired, /^Azure does not tell which subscription is selected, so nothing was done: .*AADSTS70043/],
    ] as const) {
      const error: Error = await told(answers).then(
        () => fails("it goes on"),
        (error) => error,
      );
      expect(error.message).to.match(sentence);
    }
  });

  it("asks by the bare name as well, which a state on disk in the old layout wants", async () => {
    let tries = 0;
    const old = () => (++tries === 1 ? fails("invalid stack name") : { outputs: STANDING });
    expect(await told({ "pulumi:pulumi:readStackResourceOutputs": old })).to.have.length(1);
    expect(tries).to.equal(2);
  });
});
