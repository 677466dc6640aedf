/**
 * What is verified: a stack that is up.
 * @module
 */
import { NoStack, type StackAtAzure } from "../preflight/stack-at-azure.ts";
import { nameOf } from "../recovery/state.ts";
import type { Machine } from "./machine.ts";

export interface Site extends StackAtAzure {
  /** 16 hex digits. */
  readonly id: string;
  /** Keys with money behind them: nothing is made, and nothing written. */
  readonly production: boolean;
  readonly release: string;
  readonly version: string;
  readonly publicIp: string;
  /** By which each machine goes out and is logged in to, the first one's first: `publicIp` where no balancer has that. */
  readonly addresses: readonly string[];
  /** `https://NAME.vault.azure.net`, without a slash at its end. */
  readonly vaultUri: string;
  /** Of the watermarks' table: `https://ACCOUNT.table.core.windows.net/watermarks`. */
  readonly table: string;
  /** Where the machine fetches its release. */
  readonly releaseUrl: string;
  /** Path of the stack's group, below Azure's endpoint. */
  readonly home: string;
  /** The first one. */
  readonly machine: Machine;
  readonly now: Date;
  /** Tells the address from which this computer reaches the Internet. @throws Error where nobody tells */
  readonly ownAddress: () => Promise<string>;
  /** Tells how a connection from this computer goes. */
  readonly reach: (host: string, port: number) => Promise<Way>;
  /** Asks a service from this computer. @throws Error where it does not answer */
  readonly ask: (url: string, headers: Readonly<Record<string, string>>) => Promise<Heard>;
  /** Gives a token for the vault, of whoever is logged in here. @throws NoLogin */
  readonly vaultToken: () => Promise<string>;
  /** Tells which resources Pulumi finds changed beside it. @throws Error where it does not tell */
  readonly changedBeside: () => Promise<readonly string[]>;
}

/** Nobody answers (`silent`), somebody does, or the network says otherwise. */
export type Way = "open" | "silent" | "refused";

/** What a service answered: of what is no refusal, no text. */
export interface Heard {
  readonly status: number;
  readonly text: string;
}

/** What only a stack has that is up. */
export type Standing = Pick<
  Site,
  | "id"
  | "production"
  | "release"
  | "version"
  | "publicIp"
  | "addresses"
  | "vaultUri"
  | "table"
  | "releaseUrl"
  | "home"
  | "machine"
>;

/** Reads what of a stack only one that is up has. @throws NoStack where it is not up */
export function standing(stack: StackAtAzure): Standing {
  const { remembered, standing, id, subscription, group, settings, asker } = stack;
  const outputs = remembered.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  const text = (name: string) => {
    const value = outputs[name];
    if (typeof value === "string" && value !== "") return value;
    throw new NoStack(`the stack is not up, or was not made to its end: npm run up (it has no ${name})`);
  };
  if (standing === undefined || id === undefined) throw new NoStack("the stack is not up: npm run up");
  const [version, release] = [text("version"), text("release")];
  const outbound = remembered
    .filter((one) => /^outbound(?:-\d+)?$/.test(nameOf(one)))
    .toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)))
    .map((one) => String(one.outputs?.ipAddress ?? ""));
  const home = `${subscription}/resourceGroups/${group}`;
  const file = `tezos-signer-${version}-${release.slice(0, 12)}.tar`;
  // What production has put up stays where the configuration says otherwise meanwhile.
  const isLocked = remembered.some((one) => ["vault-lock", "account-lock", "destroy-guard"].includes(nameOf(one)));
  return {
    id,
    production: settings.production || isLocked,
    version,
    release,
    publicIp: text("publicIp"),
    addresses: outbound.length > 0 ? outbound : [text("publicIp")],
    vaultUri: text("vaultUri").replace(/\/$/, ""),
    table: `https://tezos${id}.table.core.windows.net/watermarks`,
    releaseUrl: `https://tzrel${id}.blob.core.windows.net/releases/${file}`,
    home,
    machine: {
      path: `${home}/providers/Microsoft.Compute/virtualMachines/${text("vmName")}`,
      clientId: text("identityClientId"),
      asker,
    },
  };
}
