/**
 * The workbook that shows the signer's figures in Azure's portal, as the portal writes workbooks down. Pure.
 * docs/reference/metrics.md says what each figure is.
 * @module
 */
import { FIGURES_NAMESPACE } from "../../signer/contract.ts";

/** How Azure Monitor sums up a minute, by the numbers that workbooks have for it. */
const BY = { total: 1, least: 2, most: 3, average: 4 } as const;

interface Chart {
  readonly title: string;
  readonly metrics: readonly (readonly [metric: string, by: keyof typeof BY])[];
  /** A dimension, of whose values each has a line of its own. */
  readonly splitBy?: string;
}

export const CHARTS: readonly Chart[] = [
  { title: "Ready (1), or not (0)", metrics: [["tezos_signer_ready", "least"]] },
  { title: "Signatures a minute", metrics: [["signing_ops_total", "total"]], splitBy: "op" },
  { title: "What was decided", metrics: [["tezos_signer_decisions_total", "total"]], splitBy: "verdict" },
  {
    title: "Seconds since the last signature",
    metrics: [["tezos_signer_last_signed_seconds_ago", "least"]],
    splitBy: "kind",
  },
  {
    title: "Time of the key, in milliseconds: on average, and at most",
    metrics: [
      ["vault_sign_request_duration_milliseconds", "average"],
      ["vault_sign_request_duration_milliseconds", "most"],
    ],
  },
  { title: "Time of each stage, in seconds", metrics: [["tezos_signer_stage_seconds", "average"]], splitBy: "stage" },
  {
    title: "Refused by the watermark; retry=no: somebody else may use this key",
    metrics: [["watermark_rejection_total", "total"]],
    splitBy: "retry",
  },
  { title: "Rounds of what was signed", metrics: [["consensus_round_total", "total"]], splitBy: "round" },
  {
    title: "Failed calls of vault and store",
    metrics: [["tezos_signer_backend_faults_total", "total"]],
    splitBy: "cause",
  },
  { title: "Refused before the policy", metrics: [["tezos_signer_refusals_total", "total"]], splitBy: "code" },
  {
    title: "What wants a person (above 0)",
    metrics: [
      ["tezos_signer_settings_refused", "most"],
      ["tezos_signer_release_refused", "most"],
      ["tezos_signer_keys_refused", "most"],
      ["tezos_signer_head_unknown", "most"],
      ["tezos_signer_confirmations_waiting", "most"],
    ],
  },
  { title: "Seconds until the vault's token ends", metrics: [["tezos_signer_vault_token_seconds_left", "least"]] },
  {
    title: "Delay of the event loop, in seconds",
    metrics: [["tezos_signer_event_loop_lag_seconds", "most"]],
    splitBy: "quantile",
  },
];

const HOUR_MS = 3_600_000;

/** Makes the workbook. @param machineIds ids of the machines, whose figures they are: each has lines of its own */
export function workbook(machineIds: readonly string[]): object {
  return {
    version: "Notebook/1.0",
    items: [
      {
        type: 1,
        name: "what this is",
        content: {
          json: "## Tezos signer\nThe figures of `/metrics`, by the minute. Nothing here: the signer is not there, or may not send them yet.",
        },
      },
      ...CHARTS.map((chart, index) => ({
        type: 10,
        name: chart.title,
        customWidth: "50",
        content: {
          chartId: `chart-${index}`,
          version: "MetricsItem/2.0",
          size: 0,
          chartType: 2,
          resourceType: "microsoft.compute/virtualmachines",
          metricScope: 0,
          resourceIds: machineIds,
          timeContext: { durationMs: HOUR_MS },
          metrics: chart.metrics.map(([metric, by]) => ({
            namespace: FIGURES_NAMESPACE,
            metric: `${FIGURES_NAMESPACE}--${metric}`,
            aggregation: BY[by],
            splitBy: chart.splitBy ?? null,
          })),
          title: chart.title,
          gridSettings: { rowLimit: 10_000 },
        },
      })),
    ],
    fallbackResourceIds: machineIds,
    $schema: "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
  };
}
