import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect } from "chai";

const CLI = join(import.meta.dirname, "vault.ts");

describe("npm run vault", () => {
  it("starts both emulators, says how to use them, and ends when told to", async () => {
    const child = spawn(process.execPath, [CLI, "--port", "0", "--imds-port", "0"], {
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

  it("says in a sentence which port is taken, and what to do", async () => {
    await using taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const port = String((taken.address() as AddressInfo).port);
    for (const [option, other] of [
      ["--port", "--imds-port"],
      ["--imds-port", "--port"],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, option, port, other, "0"], {
        encoding: "utf8",
      });
      expect([status, stdout]).to.deep.equal([1, ""]);
      expect(stderr).to.equal(
        `The emulators cannot be started: listen EADDRINUSE: address already in use 127.0.0.1:${port}. ` +
          `Stop what has the port, or name another with ${option}.\n`,
      );
    }
  });

  it("takes no port that there cannot be", () => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, "--port", "65536"], { encoding: "utf8" });
    expect(status).to.equal(2);
    expect(stderr).to.match(/argument '65536' is invalid\. Give a whole number from 0 to 65535\.\n/);
  });
});
