import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { dashboard, dashboardQueries, ruleFile, ruleTests } from "./files.ts";
import { faster } from "./prometheus.ts";

const page = (path: string) => readFileSync(resolve(import.meta.dirname, "../../docs", path), "utf8");
const rules = readFileSync(ruleFile, "utf8");
const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name);

/** Grafana's grid is so many columns wide. */
const COLUMNS = 24;

describe("the alert rules", () => {
  it("are rules, and each fires where it must and nowhere else, by promtool's own tests", function () {
    requires(this, hasProgram("promtool"), "promtool is not on PATH (Debian's package prometheus)");
    execFileSync("promtool", ["check", "rules", ruleFile], { stdio: "pipe" });
    execFileSync("promtool", ["test", "rules", ruleTests], { stdio: "pipe" });
    const tested = new Set([...readFileSync(ruleTests, "utf8").matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
    expect(alerts.filter((name) => !tested.has(name))).to.deep.equal([]);
  });

  it("stand in the table of docs/operate.md, each with what to do, and no others", () => {
    const rows = [...page("operate.md").matchAll(/^\| `(TezosSigner\w+)` \| .{10,} \| .{10,} \|$/gm)];
    expect(rows.map(([, name]) => name).toSorted()).to.deep.equal(alerts.toSorted());
  });

  it("each tell how grave it is, and in words what it is", () => {
    const of = (what: RegExp) => [...rules.matchAll(what)].length;
    expect(of(/severity: (?:critical|warning|info)\b/g)).to.equal(alerts.length);
    expect(of(/^ {10}summary: "\{\{ \$labels\.instance \}\}/gm)).to.equal(alerts.length);
    expect(of(/^ {10}description: /gm)).to.equal(alerts.length);
  });

  it("are made faster by their durations alone", () => {
    expect(faster("for: 1m\nexpr: x[5m] > 600 and y offset 10m", 30)).to.equal(
      "for: 2000ms\nexpr: x[10000ms] > 600 and y offset 20000ms",
    );
  });
});

describe("dashboard and rules", () => {
  it("ask for no metric that docs/reference/metrics.md does not have", () => {
    const known = new Set([...page("reference/metrics.md").matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));
    const names = /\b(?:tezos_signer|signing|consensus|watermark|vault_sign)_\w+\b(?=\s*[{[)]|\s+[-*>=oiu]|$)/gm;
    const asked = [rules.replaceAll(/^\s*(?:summary|description|#).*$/gm, ""), ...dashboardQueries("1m")].flatMap(
      (text) => [...text.matchAll(names)].map(([name]) => name.replace(/_bucket$/, "")),
    );
    expect(asked.length).to.be.above(alerts.length + dashboard.panels.length);
    expect(asked.filter((name) => !known.has(name))).to.deep.equal([]);
  });
});

/**
 * What Grafana must find, by hand, after the types of @grafana/schema 12.1.0 (raw/dashboard/x/dashboard_types.gen.d.ts):
 * the package is not among ours for one file of JSON.
 */
describe("the dashboard", () => {
  it("has what Grafana reads of a dashboard, its variables and its panels", () => {
    expect(dashboard.schemaVersion).to.be.within(36, 41);
    expect(dashboard).to.include.keys("title", "uid", "time", "refresh", "annotations", "links", "tags", "version");
    expect(dashboard.uid).to.match(/^[\w-]{1,40}$/);
    expect(dashboard).not.to.have.property("__inputs");
    const variables = dashboard.templating.list.map(({ name, type }) => `${type} ${name}`);
    expect(variables).to.deep.equal(["datasource datasource", "query instance"]);
    for (const { type, title, description, fieldConfig, targets } of dashboard.panels) {
      expect(["stat", "timeseries"], title).to.include(type);
      expect(title.length * description.length).to.be.above(0);
      expect(fieldConfig).to.have.keys("defaults", "overrides");
      const { steps } = fieldConfig.defaults.thresholds as { steps: { value: number | null; color: string }[] };
      expect(steps[0]?.value, `${title}: the first step is without bound`).to.equal(null);
      expect(targets.map(({ refId }) => refId)).to.deep.equal(["A", "B", "C"].slice(0, targets.length));
      for (const { datasource, expr, legendFormat } of targets) {
        expect(datasource).to.deep.equal({ type: "prometheus", uid: `\${${"datasource"}}` });
        expect(expr).to.include('instance=~"$instance"');
        expect(legendFormat).to.include("{{instance}}");
      }
    }
  });

  it("gives each panel an id and a place of its own", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).to.equal(dashboard.panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).to.be.at.most(COLUMNS);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), `${title} lies over`).to.equal(undefined);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });
});
