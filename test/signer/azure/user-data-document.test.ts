import { expect } from "chai";
import { readUserDataDocument } from "../../../signer/azure/user-data-document.ts";
import { testKey } from "../../harness/fake-signer.ts";

const RELEASE = {
  version: "0.2.0",
  sha256: "ab".repeat(32),
  url: "https://account.blob.core.windows.net/releases/tezos-signer-0.2.0-abababababab.tar",
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
};
const SETTINGS = { keys: { kind: "local", path: "keys" } };

const reading = (value: unknown) => () =>
  readUserDataDocument(typeof value === "string" ? value : JSON.stringify(value));

describe("the userData document", () => {
  it("has release, machine and settings", () => {
    const machine = { ssh: true, maintenance: "23:59", metrics: ["84.20.19.1", "84.20.20.0/28"] };
    const text = JSON.stringify({ release: RELEASE, machine, settings: SETTINGS });
    expect(readUserDataDocument(text)).to.deep.equal({
      release: RELEASE,
      machine,
      settings: '{"keys":{"kind":"local","path":"keys"}}',
    });
  });

  it("may name no release, and needs nothing said of the machine", () => {
    const { release, machine } = readUserDataDocument(JSON.stringify({ settings: SETTINGS }));
    expect(release).to.equal(undefined);
    expect(machine).to.deep.equal({ ssh: false, maintenance: "04:30", metrics: [] });
  });

  it("is YAML as well", () => {
    const { settings, machine } = readUserDataDocument("machine:\n  ssh: true\nsettings:\n  listen: {port: 0} # any\n");
    expect(settings).to.equal('{"listen":{"port":0}}');
    expect(machine.ssh).to.equal(true);
  });

  it("may have names that a later release gave it", () => {
    const later = { ...RELEASE, signature: "…" };
    const text = { release: later, machine: { ssh: false, swap: 1 }, settings: SETTINGS, fleet: {} };
    expect(reading(text)().release).to.include(RELEASE);
  });

  it("leaves the settings to their own release: whatever they are, they are not judged", () => {
    expect(reading({ settings: { colour: "blue" } })().settings).to.equal('{"colour":"blue"}');
  });

  for (const [title, value, message] of [
    ["settings alone, as release 0.1.0 had them", SETTINGS, /form of release 0\.1\.0.*put them under `settings`/],
    ["no settings", { release: RELEASE }, /settings: is missing/],
    ["settings that are a list", { settings: [] }, /settings: .*expected record/],
    [
      "a hash cut short",
      { release: { ...RELEASE, sha256: "abab" }, settings: {} },
      /release\.sha256: must be a SHA-256/,
    ],
    [
      "a release without its address",
      { release: { ...RELEASE, url: undefined }, settings: {} },
      /release\.url: is missing/,
    ],
    [
      "an hour that is none",
      { machine: { maintenance: "25:00" }, settings: {} },
      /machine\.maintenance: must be a time of day/,
    ],
    [
      "a rule in place of an address",
      { machine: { metrics: ["0.0.0.0/0 } accept; add rule inet tezos-signer input accept #"] }, settings: {} },
      /machine\.metrics\.0: must be an IPv4 address or block/,
    ],
    [
      "a shell's words in place of an address",
      { machine: { metrics: ["84.20.19.1\n'; reboot; '"] }, settings: {} },
      /machine\.metrics\.0: must be an IPv4 address or block/,
    ],
    ["a word for a switch", { machine: { ssh: "no" }, settings: {} }, /machine\.ssh: .*expected boolean/],
    ["a text that is no document", "settings: {", /cannot be used: .* at line 1/],
    ["the same name twice", '{"settings":{},"settings":{}}', /Map keys must be unique/],
    ["nothing at all", "", /it: /],
  ] as const) {
    it(`is refused with ${title}`, () => {
      expect(reading(value)).to.throw(message);
      expect(reading(value)).to.throw(/^The machine's userData cannot be used: .*\.$/);
    });
  }

  it("repeats no private key where the text is no YAML", () => {
    const { sk } = testKey("tz2");
    for (const [value, expected] of [
      [`!${sk} x`, "TAG_RESOLVE_FAILED at line 2"],
      [`|${sk}`, "UNEXPECTED_TOKEN at line 2"],
      [`*${sk}`, "a text that begins with * must be in quotes"],
    ] as const) {
      expect(reading(`settings:\n  path: ${value}\n`))
        .to.throw(/^The machine's userData cannot be used: .*\.$/)
        .with.property("message")
        .that.includes(expected)
        .and.does.not.include(sk.slice(0, 12));
    }
  });
});
