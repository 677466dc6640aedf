/**
 * A signer that stands already: what of it cannot be changed, and what Azure and Pulumi keep. Pure.
 * @module
 */
import type { StandingResource } from "./stack-state.ts";

/** A lock against deletion, as Pulumi remembers it. */
export interface StandingLock {
  readonly urn: string;
  readonly id: string;
  /** Id of what it holds. */
  readonly scope: string;
  /** Its name in Azure. */
  readonly lockName: string;
}

/** Whatever is undefined stands nowhere yet. */
export interface StandingSigner {
  /** Id of the subscription, in lower case. */
  readonly subscription: string | undefined;
  readonly tenant: string | undefined;
  readonly location: string | undefined;
  readonly resourceGroup: string | undefined;
  /** Where the vault was that this signer had, and that Pulumi does not remember; undefined where it remembers it. */
  readonly forgottenVault: string | undefined;
  /** Id of the virtual network that the machine's interface is in. */
  readonly network: string | undefined;
  /** Name to curve of each key that the vault's HSM made. */
  readonly keys: Readonly<Record<string, string>>;
  /** The signer's address is a balancer's. */
  readonly isBalanced: boolean;
  /** The vault's audit log is sent to a workspace. */
  readonly isMonitored: boolean;
  /** What production has put up against a deletion stands, or some of it. */
  readonly isProduction: boolean;
  readonly vaultLock: StandingLock | undefined;
  readonly accountLock: StandingLock | undefined;
}

/** By their names in the program, which are pinned: what of a signer has an id and a place. The group is not always its own. */
const PLACED = ["vault", "account", "address", "identity", "group"];

const KEY = "azure-native:keyvault:Key";

/** What the vault is a part of. It is nothing in Azure, so no refresh finds it gone. */
const VAULT_COMPONENT = "tezos-signer:infra:KeyVault";

/**
 * Reads a signer from all that its stack holds.
 * @param named gives the name in the program of a part, as the signer's own parts have it
 */
export function standingSigner(all: readonly StandingResource[], named: (part: string) => string): StandingSigner {
  const part = (name: string) => all.find((resource) => resource.name === named(name));
  const placed = PLACED.flatMap((name) => part(name) ?? []);
  const ids = placed.map(({ outputs }) => text(outputs.id)).filter((id) => id !== "");
  const [, , subscription, , resourceGroup] = ids[0]?.split("/") ?? [];
  const vault = text(part("vault")?.outputs.id);
  const home = all.find(({ type, name }) => type === VAULT_COMPONENT && name === named("key-vault"));
  const keys = all.filter(({ type, outputs }) => type === KEY && vault !== "" && isBelow(text(outputs.id), vault));
  const vaultLock = lock(part("vault-lock"));
  const accountLock = lock(part("account-lock"));
  return {
    subscription: subscription?.toLowerCase(),
    resourceGroup,
    forgottenVault: vault === "" ? text(home?.outputs.uri) || undefined : undefined,
    network: networkOf(part("interface")),
    tenant: placed.map(({ outputs }) => text(outputs.tenantId)).find((id) => id !== ""),
    location: placed.map(({ outputs }) => region(text(outputs.location))).find((name) => name !== ""),
    keys: Object.fromEntries(keys.map(({ outputs }) => [text(outputs.id).split("/").at(-1) ?? "", curve(outputs)])),
    isBalanced: part("balancer") !== undefined,
    isMonitored: part("audit-events") !== undefined,
    isProduction: [vaultLock, accountLock, part("destroy-guard")].some((held) => held !== undefined),
    vaultLock,
    accountLock,
  };
}

function lock(resource: StandingResource | undefined): StandingLock | undefined {
  const id = text(resource?.outputs.id);
  const [scope = "", lockName = ""] = id.split(/\/providers\/Microsoft\.Authorization\/locks\//i);
  return resource === undefined ? undefined : { urn: resource.urn, id, scope, lockName };
}

function networkOf(card: StandingResource | undefined): string | undefined {
  const [first] = (card?.outputs.ipConfigurations ?? []) as readonly { readonly subnet?: { readonly id?: unknown } }[];
  return text(first?.subnet?.id).split("/subnets/")[0] || undefined;
}

/** Azure answers `northeurope` and `North Europe`. */
function region(name: string): string {
  return name.replaceAll(" ", "").toLowerCase();
}

/** The curve is one of the key's properties where it is given, and one of its own where it is read. */
function curve({ curveName, properties }: StandingResource["outputs"]): string {
  return text(curveName) || text((properties as Readonly<Record<string, unknown>> | undefined)?.curveName);
}

/** Ids are the same in any case. */
function isBelow(id: string, above: string): boolean {
  return id.toLowerCase().startsWith(`${above.toLowerCase()}/`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
