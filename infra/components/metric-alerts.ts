/**
 * Which metrics call for somebody, and from which figure on. docs/operate.md says what to do at each.
 * @module
 */
import type * as pulumi from "@pulumi/pulumi";
import { FIGURES_NAMESPACE } from "../../signer/contract.ts";

/** The signer's own figures are not there when the rule is made: the signer sends them once it runs. */
const OWN = { metricNamespace: FIGURES_NAMESPACE, skipMetricValidation: true };

/** One of the signer's machines. */
interface Watched {
  readonly id: pulumi.Input<string>;
  /** What its names have at their end. */
  readonly suffix: string;
}

/**
 * Returns the table of metric alerts, of the vault and of each machine (names: supported-metrics pages of
 * Microsoft.KeyVault/vaults and virtualMachines, and docs/reference/metrics.md).
 */
export function metricAlerts(vaultId: pulumi.Input<string>, machines: readonly Watched[], burstable: boolean) {
  const ofMachines = machines.flatMap((machine) => ofMachine(machine, burstable));
  return [...ofVault(vaultId), ...ofMachines, ...ofPair(machines)].map((alert) => ({ window: "PT5M", ...alert }));
}

function ofVault(vaultId: pulumi.Input<string>) {
  return [
    {
      key: "vault-errors",
      scope: vaultId,
      severity: 1,
      description: "The vault refused or failed requests. 401 is not counted: every connection begins with one.",
      criterion: {
        metricName: "ServiceApiResult",
        timeAggregation: "Count",
        operator: "GreaterThan",
        threshold: 5,
        dimensions: [{ name: "StatusCode", operator: "Include", values: ["403", "429", "500", "502", "503", "504"] }],
      },
    },
    {
      key: "vault-slow",
      scope: vaultId,
      severity: 2,
      description: "The vault takes more than a second on average: blocks may come too late.",
      criterion: {
        metricName: "ServiceApiLatency",
        timeAggregation: "Average",
        operator: "GreaterThan",
        threshold: 1000, // milliseconds
      },
    },
  ];
}

function ofMachine({ id, suffix }: Watched, burstable: boolean) {
  const tired = `machine-tired${suffix}`;
  const all = [
    {
      key: `machine-unavailable${suffix}`,
      scope: id,
      severity: 0,
      description: "The machine is stopped or does not answer its host.",
      criterion: {
        metricName: "VmAvailabilityMetric",
        timeAggregation: "Average",
        operator: "LessThan",
        threshold: 1,
      },
    },
    {
      key: `signer-not-ready${suffix}`,
      scope: id,
      severity: 0,
      description: "For five minutes no signature could be had. `tezos-signer status` says why.",
      // A restart is not ready for seconds: its highest value is still 1.
      criterion: {
        ...OWN,
        metricName: "tezos_signer_ready",
        timeAggregation: "Maximum",
        operator: "LessThan",
        threshold: 1,
      },
    },
    {
      key: `watermark-refusal${suffix}`,
      scope: id,
      severity: 1,
      description: "Other bytes were asked for at or below a signed level. Does somebody else use this key?",
      criterion: {
        ...OWN,
        metricName: "watermark_rejection_total",
        timeAggregation: "Total",
        operator: "GreaterThan",
        threshold: 0,
        dimensions: [{ name: "retry", operator: "Include", values: ["no"] }],
      },
    },
    {
      key: tired,
      scope: id,
      severity: 2,
      description: "CPU credits run out: soon the machine is held to a tenth of its processor.",
      criterion: {
        metricName: "CPU Credits Remaining",
        timeAggregation: "Average",
        operator: "LessThan",
        threshold: 20,
      },
    },
  ];
  return all.filter(({ key }) => burstable || key !== tired);
}

/** Each of two tells of both, so the first one's word is enough. */
function ofPair([first, second]: readonly Watched[]) {
  if (first === undefined || second === undefined) return [];
  return [
    {
      key: "out-of-step",
      scope: first.id,
      severity: 2,
      description: "For half an hour the machines have not had the same release and settings: an up ended half-way.",
      // An upgrade of one after the other takes twenty minutes at the most.
      window: "PT30M",
      criterion: {
        ...OWN,
        metricName: "tezos_signer_out_of_step",
        timeAggregation: "Minimum",
        operator: "GreaterThan",
        threshold: 0,
      },
    },
  ];
}
