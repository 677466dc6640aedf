import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS, MAX_BODY } from "../../../signer/http/limits.ts";
import { MAX_PAYLOAD } from "../../../signer/tezos/payload/payload.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/http.md"), "utf8");

/** A cell of the page's table as the code has it: times in milliseconds, the rest as it stands. */
function figure(cell: string): number {
  const [value, unit] = cell.trim().split(" ");
  return Number(value) * (unit === "s" ? 1_000 : 1);
}

describe("limits", () => {
  it("are exactly those of docs/reference/http.md", () => {
    const table = page.split("## Limits")[1]?.split("## ")[0] ?? "";
    const rows = [...table.matchAll(/^\| (\w+) +\| (\d[^|]*) \|/gm)];
    const listed = Object.fromEntries(rows.map(([, name, cell = ""]) => [name, figure(cell)]));
    expect(listed).to.deep.equal({ ...LIMITS, payload: MAX_PAYLOAD, body: MAX_BODY });
  });

  it("hold the longest payload in a body", () => {
    expect(MAX_BODY).to.be.at.least(2 * MAX_PAYLOAD + '""\r\n'.length);
  });
});
