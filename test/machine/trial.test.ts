import { readFileSync } from "node:fs";
import { expect } from "chai";
import { tryUnit } from "../../machine/updater/trial.ts";

const service = readFileSync(
  new URL("../../machine/files/etc/systemd/system/tezos-signer.service", import.meta.url),
  "utf8",
);
const place = `/opt/tezos-signer/releases/${"ab".repeat(32)}`;
const unit = tryUnit(service, "/opt/tezos-signer/current", place, "/run/report", 60);

describe("the unit that tries a release", () => {
  it("differs from the service in nothing but what makes it a trial", () => {
    const lines = (text: string) => text.split("\n").filter((line) => /^\w+=/.test(line));
    const expected = lines(
      service.slice(0, service.indexOf("[Install]")).replaceAll("/opt/tezos-signer/current", place),
    );
    const dropped = expected.filter((line) => !lines(unit).includes(line)).map((line) => line.split("=")[0]);
    expect(dropped.sort()).to.deep.equal([
      "CPUWeight",
      "ExecStart",
      "ExecStartPost",
      "IOWeight",
      "MemoryHigh",
      "MemoryMax",
      "OOMScoreAdjust",
      "Restart",
      "RestartSec",
      "RuntimeDirectory",
      "RuntimeDirectoryMode",
      "Sockets",
      "TimeoutStartSec",
      "Type",
    ]);
    const [before = "", after = ""] = [service, unit].map((text) => /^ExecStart=.*$/m.exec(text)?.[0] ?? "");
    expect(after).to.equal(
      before
        .replaceAll("/opt/tezos-signer/current", place)
        .replace(" serve --user-data", " try --user-data --seconds 60"),
    );
  });

  it("runs the release that is tried, and nothing of the one in use", () => {
    expect(unit).not.to.include("/opt/tezos-signer/current");
  });

  it("is ended at the memory that slows the service down, so that both fit into the smallest machine", () => {
    const limit = (name: string, text: string) => new RegExp(`^${name}=(\\d+)M$`, "m").exec(text)?.[1];
    expect(limit("MemoryMax", unit)).to.equal(limit("MemoryHigh", service));
    expect(unit).not.to.match(/^MemoryHigh=/m);
    expect(tryUnit("[Service]\n[Install]\n", "/a", "/b", "/run/report", 60)).not.to.include("MemoryMax");
  });

  it("ends by itself and gives way to the signer beside it", () => {
    expect(unit)
      .to.match(/^Type=oneshot$/m)
      .and.match(/^OOMScoreAdjust=900$/m)
      .and.match(/^CPUWeight=10$/m);
    expect(unit).not.to.match(/^(Restart|Sockets|WantedBy)=/m);
  });
});
