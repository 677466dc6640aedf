import { expect } from "chai";
import { Imds } from "./imds.ts";

const FIRST = { clientId: "0c8f1b7e-1111-4111-8111-111111111111", objectId: "0c8f1b7e-2222-4222-8222-222222222222" };
const SECOND = { clientId: "0c8f1b7e-3333-4333-8333-333333333333", objectId: "0c8f1b7e-4444-4444-8444-444444444444" };

describe("the IMDS emulator", () => {
  let imds: Imds;

  beforeEach(async () => {
    imds = await Imds.start({ identities: [FIRST, SECOND], machine: "signer-1" });
  });

  afterEach(() => imds.stop());

  async function get(path: string, headers: Record<string, string> = { Metadata: "true" }, init: RequestInit = {}) {
    const answer = await fetch(`${imds.url}/metadata/${path}`, { headers, ...init });
    const text = await answer.text();
    return { status: answer.status, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
  }

  const token = (query: string) =>
    get(`identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net${query}`);

  it("gives a token as strings throughout", async () => {
    const { status, json } = await token(`&client_id=${SECOND.clientId}`);
    expect(status).to.equal(200);
    expect(json).to.include({
      token_type: "Bearer",
      resource: "https://vault.azure.net",
      client_id: SECOND.clientId,
      expires_in: "86400",
    });
    expect(imds.tokens.check(json.access_token, "https://vault.azure.net")).to.include({ oid: SECOND.objectId });
  });

  it("gives the same token again until half of its life is over, and another once it is revoked", async () => {
    const first = (await token(`&client_id=${FIRST.clientId}`)).json.access_token;
    expect((await token(`&client_id=${FIRST.clientId}`)).json.access_token).to.equal(first);
    imds.revokeTokens();
    expect((await token(`&client_id=${FIRST.clientId}`)).json.access_token).to.not.equal(first);
    expect(imds.tokens.check(first, "https://vault.azure.net")).to.equal("revoked");
  });

  it("wants the identity named where there are several, and knows no other", async () => {
    expect((await token("")).json.error_description).to.match(/^Multiple user assigned identities exist/);
    expect((await token("&client_id=nobody")).json).to.deep.equal({
      error: "invalid_request",
      error_description: "Identity not found",
    });
  });

  it("refuses a request without its header, or one that was forwarded", async () => {
    expect((await get("identity/oauth2/token?api-version=2018-02-01", {})).json.error).to.equal("bad_request_102");
    const forwarded = { Metadata: "true", "X-Forwarded-For": "203.0.113.7" };
    expect((await get("identity/oauth2/token?api-version=2018-02-01", forwarded)).status).to.equal(400);
  });

  it("gives userData in base64, five times a second", async () => {
    imds.userData = "keys: {}\n";
    const path = "instance/compute/userData?api-version=2021-01-01&format=text";
    const answers = [];
    for (let i = 0; i < 6; i += 1) answers.push(await get(path));
    expect(Buffer.from(answers[0]?.text ?? "", "base64").toString()).to.equal("keys: {}\n");
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200, 429]);
  });

  it("announces an event to the machine that asks, and starts it when approved", async () => {
    const path = "scheduledevents?api-version=2020-07-01";
    expect((await get(path)).json).to.deep.equal({ DocumentIncarnation: 1, Events: [] });
    const id = imds.events.schedule("Reboot");
    expect((await get(path)).json.Events[0]).to.include({ EventId: id, EventType: "Reboot", EventStatus: "Scheduled" });
    expect((await get(path)).json.Events[0].Resources).to.deep.equal(["signer-1"]);
    const body = JSON.stringify({ StartRequests: [{ EventId: id }] });
    expect((await get(path, undefined, { method: "POST", body })).status).to.equal(200);
    expect(imds.events.started(id)).to.equal(true);
    imds.events.finish(id);
    expect((await get(path)).json.Events).to.deep.equal([]);
  });
});
