import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Imds } from "../../emulators/imds/imds.ts";

const IDENTITY = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02" };

const from = (file: string) => JSON.stringify(resolve(import.meta.dirname, "../../../signer/azure", file));

/** Asks for all that the machine's program asks the metadata service for; and for one thing as anything else would. */
const ASKS = `
  import { ManagedIdentity } from ${from("managed-identity.ts")};
  import { imdsHost } from ${from("metadata-service.ts")};
  import { UserData, userDataUrl } from ${from("user-data.ts")};
  const fault = (error) => String(error.cause ?? error);
  const settings = await new UserData({ url: userDataUrl(imdsHost()), apply() {} }).read().catch(fault);
  const { token } = await new ManagedIdentity().getToken("https://vault.azure.net/.default").catch((error) => ({ token: fault(error) }));
  const other = await fetch(imdsHost()).then(({ status }) => String(status), fault);
  console.log(JSON.stringify({ settings, token: token.split(".").length === 3 ? "a token" : token, other }));
`;

describe("the metadata service", () => {
  it("is asked for settings and tokens on the spot, though Node.js was started to use a proxy for everything", async () => {
    const imds = await Imds.start({ identities: [IDENTITY] });
    imds.userData = "settings: {}";
    const env = {
      PATH: process.env.PATH,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
      NODE_USE_ENV_PROXY: "1",
      HTTP_PROXY: "http://127.0.0.1:1",
      http_proxy: "http://127.0.0.1:1",
    };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", ASKS], { env });
    const { other, ...asked } = JSON.parse(stdout);
    expect(other, "the proxy is not in force, so this test shows nothing").to.include("ECONNREFUSED 127.0.0.1:1");
    expect(asked).to.deep.equal({ settings: "settings: {}", token: "a token" });
    await imds.stop();
  });
});
