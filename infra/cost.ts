/**
 * What a stack costs a month, in US dollars, East US list prices without tax (docs/cost.md says where each is from).
 * An estimate to plan with: prices differ by region and change.
 * @module
 */
import { isBalanced } from "./config/pair.ts";
import type { StackConfig } from "./config/schema.ts";

export interface CostLine {
  readonly what: string;
  readonly usd: number;
  readonly basis: string;
}

export interface CostEstimate {
  readonly lines: readonly CostLine[];
  readonly usd: number;
  readonly assumptions: readonly string[];
}

/** Hours in a month, as Azure's price pages count. */
const HOURS = 730;

/** Price of a size per hour; others are not known here and are left out, with a word. */
const SIZES: Readonly<Record<string, number>> = { Standard_B1s: 7.59 / HOURS, Standard_B2ats_v2: 6.86 / HOURS };

/** Alerts on metrics (components/metric-alerts.ts). */
const SERIES = { ofVault: 2, ofMachine: 4, ofPair: 1 };

/** A Standard balancer of up to five rules, an hour (Retail Prices API). */
const BALANCER = 0.025;

/** A release, in GB, and what a GB of blobs costs a month. */
const RELEASE = 0.106;
const BLOB_GB = 0.0184;

/** Seconds of a block on mainnet. */
const BLOCK = 6;
/** One preattestation and one attestation in each block, for 30 days; blocks are few beside them. */
const SIGNATURES = (30 * 24 * 3600 * 2) / BLOCK;
/** What a key that is used costs a month, and 10,000 signatures of the vault's, and 10,000 transactions of the table's. */
const KEY = 5;
const VAULT_PRICE = 0.15;
const TABLE_PRICE = 0.00036;
/** Operations on keys of an HSM that a vault takes in ten seconds: learn.microsoft.com/azure/key-vault/general/service-limits. */
const VAULT_LIMIT = 2_000;

/** What keys cost a month that all attest in every block, in US dollars. */
export interface CostOfVoting {
  readonly signatures: number;
  readonly keys: number;
  readonly vault: number;
  readonly table: number;
  /** Share of the vault's limit that the signatures take, 0 to 1 and above. */
  readonly limit: number;
}

/** Estimates what so many keys cost a month that all attest in every block. */
export function costOfVoting(keys: number): CostOfVoting {
  const signatures = keys * SIGNATURES;
  return {
    signatures,
    keys: KEY * keys,
    vault: (signatures / 10_000) * VAULT_PRICE,
    // A read and a write each.
    table: ((2 * signatures) / 10_000) * TABLE_PRICE,
    limit: (keys * 2 * 10) / BLOCK / VAULT_LIMIT,
  };
}

type CostSettings = Pick<StackConfig, "vmSize" | "keys" | "monitoring" | "instances" | "balancer">;

/** Estimates a stack's month: the machines, their addresses and disks, the keys, the table, the releases, the alerts. */
export function estimateCost(settings: CostSettings): CostEstimate {
  const hourly = SIZES[settings.vmSize];
  const keys = Math.max(1, settings.keys.length);
  const { instances } = settings;
  const balanced = isBalanced(settings);
  const addresses = balanced ? instances + 1 : instances;
  const times = (count: number, basis: string) => (count === 1 ? basis : `${count} x, ${basis}`);
  const voting = costOfVoting(1);
  const lines: CostLine[] = [
    {
      what: `Machine ${settings.vmSize}`,
      usd: instances * (hourly ?? 0) * HOURS,
      basis: hourly === undefined ? "price not known here: add it yourself" : times(instances, `${HOURS} hours`),
    },
    { what: "Disk, Standard SSD 32 GiB", usd: 2.4 * instances, basis: times(instances, "E4") },
    { what: "Public IPv4 address", usd: 3.65 * addresses, basis: times(addresses, "Standard, static") },
    ...(balanced
      ? [{ what: "Balancer", usd: BALANCER * HOURS, basis: "Standard, one rule; 0.005 per GB beside it" }]
      : []),
    { what: `HSM key${keys === 1 ? "" : "s"}`, usd: KEY * keys, basis: `${keys} x 5.00, used in the month` },
    { what: "Signatures", usd: voting.vault, basis: `${SIGNATURES} at ${VAULT_PRICE} per 10,000` },
    { what: "Watermark table", usd: voting.table, basis: "a read and a write each" },
    { what: "Releases", usd: 10 * RELEASE * BLOB_GB, basis: "ten of 0.1 GB" },
  ];
  if (settings.monitoring) {
    lines.push(
      { what: "Alert on the audit log", usd: 1.5, basis: "one rule, every 5 minutes" },
      {
        what: "Alerts on metrics",
        usd: (SERIES.ofVault + SERIES.ofMachine * instances + (instances > 1 ? SERIES.ofPair : 0)) * 0.1,
        basis: `up to ${instances === 1 ? "six" : "eleven"} series`,
      },
      { what: "The signer's figures", usd: 0, basis: "custom metrics, not charged while they are a preview" },
      { what: "Audit log", usd: 0, basis: "about 1 GB; the first 5 GB are free" },
    );
  }
  return {
    lines,
    usd: Number(lines.reduce((sum, line) => sum + line.usd, 0).toFixed(2)),
    assumptions: [
      "East US list prices in US dollars, without tax, September 2026",
      `${SIGNATURES} signatures in 30 days: one key that attests every 6-second block`,
      "traffic below Azure's free 100 GB",
    ],
  };
}
