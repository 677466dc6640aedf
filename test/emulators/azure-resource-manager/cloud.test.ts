import { expect } from "chai";
import type { PlannedResource } from "../../../infra/plan/plan.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";
import { released } from "../../infra/stack.ts";
import { Cloud } from "./cloud.ts";
import type { Properties } from "./properties.ts";
import type { Ended } from "./run-commands.ts";

const VAULT = "azure-native:keyvault:Vault";

/** Sets one path of a resource's inputs. */
function change(inputs: Properties, path: string, value: unknown): Properties {
  const copy = structuredClone(inputs) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const inner = keys.reduce((object, key) => object[key] as Record<string, unknown>, copy);
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return copy;
}

/** A cloud in which resources of the stack's own plan are made one by one, as planned or with one input changed. */
class Site {
  readonly cloud = new Cloud();
  /** Ids of what was made, by name in the program. */
  readonly #ids = new Map<string, string>();
  readonly #inputs = new Map<string, { type: string; inputs: Properties }>();

  constructor(resources: readonly PlannedResource[]) {
    const known = new Map([
      ["<random>", "0123456789abcdef"],
      ["<address>", "20.50.100.10"],
      ["<machine>", this.cloud.guid("machine")],
      ["<tenant>", this.cloud.tenant],
    ]);
    for (const { type, name, inputs } of resources.filter((resource) => resource.type.startsWith("azure-native:"))) {
      let text = JSON.stringify(inputs);
      for (const [placeholder, value] of known) text = text.replaceAll(placeholder, value);
      this.#inputs.set(name, { type, inputs: JSON.parse(text) });
    }
  }

  /** Makes resources in this order, with the ids of those made before. */
  make(...names: string[]): this {
    for (const name of names) this.try(name);
    return this;
  }

  /** Makes one, with one input changed. */
  try(name: string, path?: string, value?: unknown): void {
    const { type, inputs } = this.inputs(name);
    const { id } = this.cloud.create(type, name, path === undefined ? inputs : change(inputs, path, value));
    this.#ids.set(name, id);
  }

  /** Updates one that was made. */
  update(name: string, path: string, value: unknown): void {
    const resource = this.held(name);
    this.cloud.update(resource.type, name, resource.id, change(resource.inputs, path, value));
  }

  delete(name: string): void {
    const { type, id } = this.held(name);
    this.cloud.delete(type, name, id);
  }

  held(name: string) {
    const made = this.cloud.get(this.#ids.get(name) ?? "");
    if (made === undefined) throw new Error(`${name} was not made`);
    return made;
  }

  /** The plan's inputs, with the plan's stand-in ids turned into those of what was made. */
  inputs(name: string): { type: string; inputs: Properties } {
    const found = this.#inputs.get(name);
    if (found === undefined) throw new Error(`no ${name} in the plan`);
    let text = JSON.stringify(found.inputs);
    for (const [other, { type }] of this.#inputs) {
      const id = this.#ids.get(other);
      const standIn = `/subscriptions/<subscription>/${type.split(":").slice(1).join("/")}/${other}`;
      if (id !== undefined) text = text.replaceAll(standIn, id);
    }
    const autonamed = found.type.endsWith("RoleAssignment") ? { roleAssignmentName: this.cloud.guid("role") } : {};
    return { type: found.type, inputs: { ...autonamed, ...JSON.parse(text) } };
  }
}

const RELEASE = released("first");
const RELEASES = ["release-account", "release-container", RELEASE];
const NETWORK = ["group", "identity", "virtual-network", "firewall", "subnet", "address", "interface"];

describe("the fake Azure refuses what Azure refuses", () => {
  let resources: readonly PlannedResource[];
  const site = (...names: string[]) => new Site(resources).make(...names);

  before(async () => {
    resources = (await plan(EVERYTHING)).resources;
  });

  it("takes the whole stack", () => {
    const whole = site(
      ...NETWORK,
      "vault",
      "account",
      "watermarks",
      "consensus",
      "table-role",
      "machine",
      "vault-lock",
      ...RELEASES,
      "release-role",
    );
    expect(whole.cloud.resources.size).to.equal(18);
  });

  it("names: a vault's characters, length and uniqueness in the world", () => {
    for (const name of ["1vault", "ab", "a".repeat(25), "a--b", "under_score"]) {
      expect(() => site(...NETWORK).try("vault", "vaultName", name), name).to.throw(/InvalidResourceName/);
    }
    const taken = site(...NETWORK);
    taken.cloud.taken.add("tezos-0123456789abcdef");
    expect(() => taken.try("vault")).to.throw(/VaultAlreadyExists/);
    expect(() => site(...NETWORK).try("account", "accountName", "Tezos-1")).to.throw(/InvalidResourceName/);
  });

  it("names: a deleted vault's stays taken", () => {
    const deleted = site(...NETWORK, "vault");
    deleted.delete("vault");
    expect(() => deleted.try("vault")).to.throw(/ConflictError/);
  });

  it("places: no unknown region, no other region later, no group that is not there", () => {
    expect(() => site().try("group", "location", "atlantis")).to.throw(/LocationNotAvailable/);
    expect(() => site(...NETWORK, "vault").update("vault", "location", "eastus")).to.throw(/InvalidResourceLocation/);
    expect(() => site().try("firewall")).to.throw(/ResourceGroupNotFound/);
  });

  it("security rules: priorities, duplicates, prefixes", () => {
    const rules = (path: string, value: unknown) => () => site("group").try("firewall", `securityRules.${path}`, value);
    expect(rules("0.priority", 99)).to.throw(/InvalidPriority/);
    expect(rules("1.priority", 100)).to.throw(/SecurityRuleConflict/);
    expect(rules("1.name", "baker")).to.throw(/DuplicateResourceName/);
    expect(rules("0.sourceAddressPrefixes", ["*"])).to.throw(/InvalidAddressPrefixFormat/);
    expect(rules("0.sourceAddressPrefix", "84.20.17.5")).to.throw(/BothPrefixes/);
    expect(rules("0.destinationPortRange", "http")).to.throw(/InvalidPortRange/);
  });

  it("subnets: inside their network, not too small, behind a firewall that exists", () => {
    const ready = ["group", "virtual-network", "firewall"];
    expect(() => site(...ready).try("subnet", "addressPrefix", "10.0.1.0/28")).to.throw(/NetcfgInvalidSubnet/);
    expect(() => site(...ready).try("subnet", "addressPrefix", "10.0.0.0/30")).to.throw(/RangeTooSmall/);
    expect(() => site("group", "virtual-network").try("subnet")).to.throw(/InvalidResourceReference/);
  });

  it("addresses: no basic ones, no dynamic standard ones", () => {
    expect(() => site("group").try("address", "sku.name", "Basic")).to.throw(/BasicSku/);
    expect(() => site("group").try("address", "publicIPAllocationMethod", "Dynamic")).to.throw(/MustBeStatic/);
  });

  it("vault firewall: only subnets with the endpoint, only public IPv4", () => {
    const bare = site("group", "identity", "virtual-network", "firewall");
    bare.try("subnet", "serviceEndpoints", [{ service: "Microsoft.Storage" }]);
    expect(() => bare.try("vault")).to.throw(/VirtualNetworkNotValid/);
    for (const value of ["10.0.0.1/32", "2001:db8::1", "here"]) {
      const rules = [{ value }];
      expect(() => site(...NETWORK).try("vault", "properties.networkAcls.ipRules", rules), value).to.throw(/IP rule/);
    }
  });

  it("account firewall: no /32, only subnets with the endpoint", () => {
    const one = [{ iPAddressOrRange: "84.20.17.5/32" }];
    expect(() => site(...NETWORK).try("account", "networkRuleSet.ipRules", one)).to.throw(/InvalidValues/);
    const bare = site("group", "virtual-network", "firewall");
    bare.try("subnet", "serviceEndpoints", [{ service: "Microsoft.KeyVault" }]);
    expect(() => bare.try("account")).to.throw(/ServiceEndpoints/);
  });

  it("purge protection is never false and never taken back; the days of soft delete stay", () => {
    expect(() => site(...NETWORK).try("vault", "properties.enablePurgeProtection", false)).to.throw(
      /cannot be set to false/,
    );
    const made = site(...NETWORK, "vault");
    expect(() => made.update("vault", "properties.softDeleteRetentionInDays", 30)).to.throw(/can't be modified/);
    made.update("vault", "properties.enablePurgeProtection", undefined);
    expect(JSON.stringify(made.cloud.ofType(VAULT)[0]?.outputs)).to.include('"enablePurgeProtection":true');
  });

  it("HSM keys need a premium vault", () => {
    const standard = site(...NETWORK);
    standard.try("vault", "properties.sku.name", "standard");
    expect(() => standard.try("consensus")).to.throw(/premium/);
  });

  it("deleting a key goes to the vault itself: its firewall and its policies apply", () => {
    const made = site(...NETWORK, "vault", "consensus");
    expect(() => made.delete("consensus")).to.throw(/Client address is not authorized/);
    made.update("vault", "properties.networkAcls.ipRules", [{ value: `${made.cloud.deployer.address}/32` }]);
    expect(() => made.delete("consensus")).to.throw(/keys delete permission/);
  });

  it("machines: customData fits and stays, userData changes, the identity exists, the size is to be had", () => {
    const ready = [...NETWORK, "vault", "account"];
    const large = Buffer.alloc(65_536).toString("base64");
    expect(() => site(...ready).try("machine", "osProfile.customData", large)).to.throw(
      /65536 bytes; the limit is 65535/,
    );
    const made = site(...ready, "machine");
    expect(() => made.update("machine", "osProfile.customData", "IyB0d28K")).to.throw(
      /PropertyChangeNotAllowed.*customData/,
    );
    expect(() => made.update("machine", "storageProfile.imageReference.offer", "x")).to.throw(
      /PropertyChangeNotAllowed/,
    );
    made.update("machine", "userData", "e30=");
    const bare = site(...ready);
    bare.delete("identity");
    expect(() => bare.try("machine")).to.throw(/FailedIdentityOperation/);
    const small = site(...ready);
    small.cloud.refusedSizes.add("Standard_B1s");
    expect(() => small.try("machine")).to.throw(/SkuNotAvailable/);
  });

  it("machines: what is not offered, over quota, without room or of another kind is refused, each by its own code", () => {
    const refusal = (act: (made: ReturnType<typeof site>) => void, path = "userData", value: unknown = "e30=") => {
      const made = site(...NETWORK, "vault", "account");
      act(made);
      return () => made.try("machine", path, value);
    };
    expect(refusal(({ cloud }) => cloud.offer.absent.add("Standard_B1s"))).to.throw(
      /400.*InvalidParameter.*valid sizes/,
    );
    expect(refusal(({ cloud }) => Object.assign(cloud.offer.limits, { standardBSFamily: 0 }))).to.throw(
      /409.*OperationNotAllowed.*Cores quota/,
    );
    expect(refusal(({ cloud }) => cloud.offer.failures.set("Standard_B1s", "AllocationFailed"))).to.throw(
      /AllocationFailed/,
    );
    const sku = "storageProfile.imageReference.sku";
    expect(refusal(() => undefined, sku, "server-arm64")).to.throw(/CPU Architecture 'Arm64'/);
    expect(refusal(() => undefined, sku, "server-gen1")).to.throw(/TrustedLaunch/);
    expect(refusal(() => undefined, sku, "none")).to.throw(/PlatformImageNotFound/);
  });

  it("run commands: below a machine that is there, run once for each other script or parameter, and gone with it", () => {
    const made = site(...NETWORK, "vault", "account", "machine");
    const { cloud } = made;
    made.make("await-ready");
    made.update("await-ready", "tags.a", "b");
    expect(cloud.runCommands.executions).to.have.length(1);
    made.update("await-ready", "parameters", [{ name: "A", value: "b" }]);
    expect(cloud.runCommands.executions.map(({ environment }) => Object.keys(environment).length)).to.deep.equal([
      4, 1,
    ]);
    cloud.runCommands.busy = 1;
    expect(() => made.update("await-ready", "parameters", [])).to.throw(/409.*Conflict.*execution is in progress/);
    const { id } = made.held("await-ready");
    made.delete("machine");
    expect(cloud.get(id)).to.equal(undefined);
    expect(() => made.make("await-ready")).to.throw(/404.*ParentResourceNotFound/);
  });

  it("run commands: their instance view has the last 4 KB of what a script printed, and how it ended", () => {
    const view = (ended: Partial<Ended>) => {
      const made = site(...NETWORK, "vault", "account", "machine");
      const { runCommands } = made.cloud;
      runCommands.agent = () => ({ exitCode: 0, output: "", error: "", seconds: 1, ...ended });
      made.make("await-ready");
      return runCommands.view(made.held("await-ready").id);
    };
    expect(view({ output: `${"é".repeat(4_096)}end` }).output)
      .to.have.length.below(2_052)
      .and.to.match(/éend$/);
    expect(view({})).to.include({ executionState: "Succeeded", exitCode: 0 });
    expect(view({ exitCode: 3, error: "why" })).to.include({ executionState: "Failed", exitCode: 3, error: "why" });
    expect(view({ seconds: 19 * 60 + 1 })).to.include({ executionState: "TimedOut", exitCode: -1 });
  });

  it("run commands: whoever loses patience with an agent that never answers leaves one that is there", () => {
    const made = site(...NETWORK, "vault", "account", "machine");
    made.cloud.runCommands.agent = () => undefined;
    expect(() => made.make("await-ready")).to.throw(/read failed context deadline exceeded/);
    expect(() => made.make("await-ready")).to.throw(/cannot create already existing resource/);
  });

  it("machines: a size with a temporary disk does not become one without", () => {
    const made = site(...NETWORK, "vault", "account", "machine");
    expect(() => made.update("machine", "hardwareProfile.vmSize", "Standard_B2ats_v2")).to.throw(/OperationNotAllowed/);
    made.update("machine", "hardwareProfile.vmSize", "Standard_B2s");
  });

  it("blobs: by the account's key, from where the firewall lets the deployer through, into a container that is there", () => {
    const account = site("group");
    account.try("release-account", "allowSharedKeyAccess", false);
    account.make("release-container");
    expect(() => account.make(RELEASE)).to.throw(/403.*KeyBasedAuthenticationNotPermitted/);
    account.update("release-account", "allowSharedKeyAccess", true);
    account.update("release-account", "networkRuleSet.defaultAction", "Deny");
    expect(() => account.make(RELEASE)).to.throw(/403.*AuthorizationFailure/);
    account.update("release-account", "networkRuleSet.ipRules", [{ iPAddressOrRange: account.cloud.deployer.address }]);
    account.make(RELEASE);
    const bare = site("group", "release-account");
    expect(() => bare.make(RELEASE)).to.throw(/404.*ContainerNotFound/);
    expect(() => bare.try("release-container", "publicAccess", "Blob")).to.throw(/PublicAccessNotPermitted/);
  });

  it("blobs: what is there is not created again, and goes with its account", () => {
    const made = site("group", ...RELEASES);
    expect(() => made.make(RELEASE)).to.throw(/cannot create already existing resource/);
    made.delete("release-account");
    expect(made.cloud.resources.size).to.equal(1);
  });

  it("what is in use is not deleted", () => {
    const made = site(...NETWORK, "machine");
    for (const [name, code] of [
      ["firewall", /InUseNetworkSecurityGroup/],
      ["subnet", /InUseSubnet/],
      ["address", /PublicIPAddressCannotBeDeleted/],
      ["interface", /NicInUse/],
    ] as const) {
      expect(() => made.delete(name), name).to.throw(code);
    }
  });

  it("roles: the right to assign, the principal's type, no second time", () => {
    const ready = [...NETWORK, "account"];
    const poor = site(...ready);
    poor.cloud.deployer.assignsRoles = false;
    expect(() => poor.try("table-role")).to.throw(/AuthorizationFailed/);
    expect(() => site(...ready).try("table-role", "principalType", "User")).to.throw(/PrincipalNotFound/);
    const role = "roleAssignmentName";
    expect(() => site(...ready, "table-role").try("table-role", role, new Cloud().guid("x"))).to.throw(
      /RoleAssignmentExists/,
    );
  });

  it("locks hold what they lock, all below it and the group above it", () => {
    const locked = site(...NETWORK, "vault", "account", "watermarks", "consensus", "vault-lock", "machine");
    for (const name of ["vault", "consensus", "group"]) expect(() => locked.delete(name), name).to.throw(/ScopeLocked/);
    locked.delete("machine");
    locked.delete("vault-lock");
    locked.delete("group");
    expect(locked.cloud.resources.size).to.equal(0);
  });

  it("a lock for reading alone refuses changes below it and what needs the account's key, but not its own deletion", () => {
    const made = site(...NETWORK, ...RELEASES, "machine");
    const lock = { scope: made.held("group").id, lockName: "somebody-s", level: "ReadOnly" };
    const { id, type } = made.cloud.create("azure-native:authorization:ManagementLockByScope", "by hand", lock);
    const machine = made.held("machine");
    for (const name of ["group", "firewall", "machine"]) {
      expect(() => made.update(name, "tags.a", "b"), name).to.throw(/409.*ScopeLocked.*cannot perform write operation/);
      expect(() => made.delete(name), name).to.throw(/ScopeLocked/);
    }
    expect(made.cloud.read(machine.type, "machine", machine.id)).not.to.equal(undefined);
    const blob = made.held(RELEASE);
    expect(() => made.cloud.read(blob.type, "release", blob.id)).to.throw(/ScopeLocked/);
    made.cloud.delete(type, "by hand", id);
    made.update("firewall", "tags.a", "b");
  });

  it("a disabled subscription shows and deletes what it holds, and takes nothing", () => {
    const made = site(...NETWORK, ...RELEASES, "machine");
    made.cloud.state = "Disabled";
    expect(() => made.update("machine", "tags.a", "b")).to.throw(/409.*ReadOnlyDisabledSubscription/);
    made.delete("machine");
    expect(() => made.try("machine")).to.throw(/ReadOnlyDisabledSubscription/);
  });

  it("records every request in order, the refused ones with their reason", () => {
    const made = site("group");
    expect(() => made.try("group")).to.throw(/already existing/);
    expect(made.cloud.calls.map(({ method, name, failed }) => [method, name, failed !== undefined])).to.deep.equal([
      ["create", "group", false],
      ["create", "group", true],
    ]);
  });

  it("knows nothing by halves: a kind that it has no rules for is an error", () => {
    expect(() => new Cloud().create("azure-native:web:WebApp", "x", {})).to.throw(/knows no azure-native:web:WebApp/);
  });
});
