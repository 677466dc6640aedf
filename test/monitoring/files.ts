import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../monitoring");

export const ruleFile = resolve(FOLDER, "alerts.yaml");
export const ruleTests = resolve(FOLDER, "alerts.test.yaml");

/** A query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

/** What the tests look at of a panel, as @grafana/schema has it. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: {
    readonly defaults: Readonly<Record<string, unknown>>;
    readonly overrides: readonly unknown[];
  };
  readonly targets: readonly Target[];
}

export interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

export const dashboard = JSON.parse(readFileSync(resolve(FOLDER, "dashboard.json"), "utf8")) as Dashboard;

/** Each query of each panel, with what Grafana puts in for its variables. @param interval for `$__rate_interval` */
export function dashboardQueries(interval: string): readonly string[] {
  return dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", interval)),
  );
}
