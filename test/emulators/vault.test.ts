import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";

describe("npm run vault", () => {
  it("starts both emulators, says how to use them, and ends when told to", async () => {
    const cli = join(import.meta.dirname, "vault.ts");
    const child = spawn(process.execPath, [cli, "--port", "0", "--imds-port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += chunk;
      if (printed.includes("Ctrl-C")) break;
    }
    const vault = /Key Vault \(emulated\): (\S+)/.exec(printed)?.[1];
    const tokenUrl = /'(http\S+oauth2\S+)'/.exec(printed)?.[1] ?? "";
    const { access_token: token } = (await (await fetch(tokenUrl, { headers: { Metadata: "true" } })).json()) as Record<
      string,
      string
    >;
    const listed = await fetch(`${vault}/keys?api-version=7.4`, { headers: { Authorization: `Bearer ${token}` } });
    const { value } = (await listed.json()) as { value: { kid: string }[] };
    expect(value.map(({ kid }) => kid)).to.deep.equal([`${vault}/keys/baker`, `${vault}/keys/baker-secp`]);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).to.deep.equal([0, null]);
  });
});
