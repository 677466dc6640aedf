import { expect } from "chai";
import { LiveSettings } from "../../../signer/settings/live-settings.ts";
import { parseSettings, SettingsError } from "../../../signer/settings/parse.ts";

const TOKEN = { kind: "pkcs11", module: "/usr/lib/lib.so", tokenLabel: "tezos", pin: { file: "pin" } };

function textOf(keys: object): string {
  return JSON.stringify({ keys, watermarks: { kind: "sqlite", path: "w.sqlite" } });
}

const mistakes = (keys: object) => mistakesOf(textOf(keys));

function mistakesOf(text: string): string {
  try {
    parseSettings(text, "settings.yaml");
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes.join("\n");
    throw error;
  }
  return "";
}

describe("settings of a PKCS#11 token", () => {
  it("name the token by its label or by its slot, and by one of them", () => {
    const { tokenLabel, ...rest } = TOKEN;
    expect(mistakes(TOKEN)).to.equal("");
    expect(mistakes({ ...rest, slot: 0 })).to.equal("");
    const both = "keys: name the token by tokenLabel or by slot, and by one of them only";
    expect(mistakes(rest)).to.equal(both);
    expect(mistakes({ ...TOKEN, slot: 0 })).to.equal(both);
    expect(tokenLabel).to.equal("tezos");
  });

  it("tell of a PIN that was put where its file belongs, and do not show it", () => {
    for (const pin of ["123456", 123456, { value: "123456" }, { file: 123456 }, { file: "", pin: 123456 }, [123456]]) {
      expect(mistakes({ ...TOKEN, pin }), JSON.stringify(pin))
        .to.match(/^keys\.pin/)
        .and.not.include("123456");
    }
  });

  it("do not show a PIN that YAML takes for a name: in braces, or after a colon without a blank", () => {
    for (const pin of ["pin: { 123456 }", "pin: { 123456: }", "pin:123456", "pin=123456", '"pin:123456": 5']) {
      const text = `keys: { kind: pkcs11, module: /lib.so, tokenLabel: tezos, ${pin} }\nwatermarks: { kind: sqlite, path: w }\n`;
      expect(mistakesOf(text), pin).to.include("keys.pin").and.not.include("123456");
    }
  });

  it("name keys by label or by id in hex", () => {
    expect(mistakes({ ...TOKEN, include: ["baker", "my key", "id:01A0"] })).to.equal("");
    for (const include of [[""], ["id:"], ["id:1"], ["id:xy"], []]) {
      expect(mistakes({ ...TOKEN, include }), JSON.stringify(include)).to.match(/^keys\.include/);
    }
  });

  it("take their paths from the folder of the settings, and other keys while the signer runs", () => {
    const live = new LiveSettings(textOf({ ...TOKEN, module: "lib.so" }), "settings.yaml", "/etc/tezos-signer");
    const { keys } = live.current;
    if (keys.kind !== "pkcs11") throw new Error("another kind");
    expect([keys.module, keys.pin.file].map((path) => path.replace(/^(\.\.\/)+/, "/"))).to.deep.equal([
      "/etc/tezos-signer/lib.so",
      "/etc/tezos-signer/pin",
    ]);
    expect(live.apply(textOf({ ...TOKEN, module: "lib.so", include: ["baker"] }))).to.equal("applied");
    expect(live.apply(textOf({ ...TOKEN, module: "other.so" }))).to.equal("restart");
  });
});
