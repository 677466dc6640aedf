import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Imds } from "../../../emulators/imds/imds.ts";
import { ENTRY, finished, makeStore, place, sentence, storeAt } from "../../../harness/command-place.ts";

const settings = (changes: object) => ({
  keys: { kind: "local", path: "keys" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always" },
  ...changes,
});

/** Runs `watermarks show --user-data` on a machine. @param good the last settings that its signer was ready with */
async function show(userData: object, good: object) {
  await using folder = await place({});
  await makeStore(folder.path);
  await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(good));
  const imds = await Imds.start({ identities: [] });
  imds.userData = JSON.stringify({ machine: { ssh: false, maintenance: "04:30" }, settings: userData });
  try {
    const env = { ...process.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: folder.path };
    const words = [process.execPath, ENTRY, "watermarks", "show", "--user-data"];
    const { code, errors } = await finished(words, folder.path, { env });
    return { code, errors: sentence(errors) };
  } finally {
    await imds.stop();
  }
}

describe("a watermarks command with --user-data, where the signer may have gone back to its last good settings", () => {
  it("says which store it works on, and which the last good settings name, where these are two", async () => {
    const { code, errors } = await show(settings({}), settings(storeAt("other.sqlite")));
    expect(code).to.equal(0);
    expect(errors).to.match(/works on \S*watermarks\.sqlite, which the machine's userData names\./);
    expect(errors).to.match(/name \S*other\.sqlite: a signer that has gone back .*--config \S+\/settings\.yaml/);
  });

  it("says nothing where both name one store", async () => {
    const { code, errors } = await show(settings({}), settings({ listKnownKeys: true }));
    expect([code, errors]).to.deep.equal([0, "There is no mark yet. "]);
  });

  it("says by which file that signer goes where userData cannot be used", async () => {
    const { code, errors } = await show({ colour: "blue" }, settings({}));
    expect(code).to.equal(4);
    expect(errors).to.match(
      /colour: there is no such setting .*last good settings goes by \S+\/settings\.yaml: name that/,
    );
  });
});
