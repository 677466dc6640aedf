import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readSettingsFile } from "../../../signer/cli/settings-source.ts";
import { settingsSchema } from "../../../signer/settings/schema.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";

describe("a settings file", () => {
  it("is parsed once at a start: what looks at its paths looks at what was parsed", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "settings.yaml");
    const settings = { keys: { kind: "local", path: "keys" }, watermarks: { kind: "sqlite", path: "w.sqlite" } };
    await writeFile(file, JSON.stringify(settings));
    const { safeParse } = settingsSchema;
    let parsed = 0;
    settingsSchema.safeParse = (...given) => {
      parsed += 1;
      return safeParse(...given);
    };
    try {
      await readSettingsFile(file);
      expect(parsed).to.equal(1);
    } finally {
      settingsSchema.safeParse = safeParse;
    }
  });
});
