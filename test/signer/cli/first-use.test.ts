import { mkdir, readFile, writeFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { prepareFirstUse } from "../../../signer/cli/first-use.ts";
import { FIRST_USE_SETTINGS, readSettingsFile } from "../../../signer/cli/settings-source.ts";
import { Terminal } from "../../../signer/cli/terminal.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";

/** As version 0.1.0 made it: paths begin at the current folder. A hand has added its own. */
const OLD = `# mine
keys:
  kind: local
  path: .tezos-signer/keys
watermarks:
  kind: sqlite
  path: .tezos-signer/watermarks.sqlite
  initialise: always
listen:
  tls: { cert: /etc/cert.pem, key: /etc/key.pem }
confirmation:
  socket: .tezos-signer/confirm.sock
`;

describe("the settings that npm start makes", () => {
  let before: string;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    before = process.cwd();
    folder = await temporaryFolder();
    process.chdir(folder.path);
    await mkdir(".tezos-signer");
  });
  afterEach(async () => {
    process.chdir(before);
    await folder[Symbol.asyncDispose]();
  });

  async function start(text: string): Promise<string> {
    await writeFile(FIRST_USE_SETTINGS, text);
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    using terminal = new Terminal({ ...streams, env: {} });
    await prepareFirstUse(terminal, "P-256");
    return readFile(FIRST_USE_SETTINGS, "utf8");
  }

  it("are mended where version 0.1.0 made them: their paths lead where they led, and nothing else is touched", async () => {
    const mended = await start(OLD);
    expect(mended).to.equal(OLD.replaceAll(" .tezos-signer/", " "));
    const { keys, watermarks, confirmation, listen } = (await readSettingsFile(FIRST_USE_SETTINGS)).current;
    expect([keys, watermarks].map((part) => "path" in part && part.path)).to.deep.equal([
      ".tezos-signer/keys",
      ".tezos-signer/watermarks.sqlite",
    ]);
    expect(confirmation?.socket).to.equal(".tezos-signer/confirm.sock");
    expect(listen.tls?.cert).to.equal("/etc/cert.pem");
    expect(await start(mended)).to.equal(mended);
  });
});
