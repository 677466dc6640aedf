import { expect } from "chai";
import { LiveSettings } from "../../../signer/settings/live-settings.ts";
import { SettingsError } from "../../../signer/settings/parse.ts";

const textOf = (keys: object) => JSON.stringify({ keys, watermarks: { kind: "sqlite", path: "w.sqlite" } });

describe("settings of a Tezio board", () => {
  it("name its device, from the folder of the settings, and another device is for another process", () => {
    const live = new LiveSettings(textOf({ kind: "tezio", device: "board" }), "settings.yaml", "/etc/tezos-signer");
    const { keys } = live.current;
    if (keys.kind !== "tezio") throw new Error("another kind");
    expect(keys.device.replace(/^(\.\.\/)+/, "/")).to.equal("/etc/tezos-signer/board");
    expect(live.apply(textOf({ kind: "tezio", device: "other" }))).to.equal("restart");
  });

  it("have nothing else", () => {
    const open = (keys: object) => () => new LiveSettings(textOf(keys), "settings.yaml");
    expect(open({ kind: "tezio" })).to.throw(SettingsError, "keys.device: is missing");
    expect(open({ kind: "tezio", device: "/dev/ttyACM0", baud: 9_600 })).to.throw(SettingsError, "keys.baud");
  });
});
