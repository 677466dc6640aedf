import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "..");

/** Which of our folders or files a folder may import: DESIGN.md 2, as a table. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "signer/tezos": [],
  "signer/policy": ["signer/tezos", "signer/errors.ts"],
  "signer/confirmation": ["signer/tezos", "signer/errors.ts"],
  "signer/watermark": ["signer/tezos", "signer/errors.ts"],
  "signer/keys": ["signer/tezos", "signer/errors.ts"],
  "signer/http": ["signer/tezos", "signer/errors.ts", "signer/signing/signing-service.ts"],
  "signer/cli": [
    "signer/tezos",
    "signer/errors.ts",
    "signer/settings/schema.ts",
    "signer/settings/settings-cache.ts",
    "signer/settings/live-settings.ts",
    "signer/installation/own-release.ts",
    "signer/azure/user-data.ts",
    "signer/azure/user-data-document.ts",
    "signer/confirmation",
    "signer/keys",
    "signer/watermark",
  ],
  infra: ["signer/settings/schema.ts", "cloud-init", "release"],
  // Whoever checks a release reads these files and no others of ours.
  release: [],
  // The updater reads userData as the signer does, from the release that both are in.
  machine: ["signer/azure/user-data.ts", "signer/azure/user-data-document.ts", "signer/azure/managed-identity.ts"],
  "cloud-init": [],
};

/** Relative imports of a file, as paths from the project's root; `import type` counts too. */
function imports(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  const specifiers = [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1] ?? "");
  const paths = specifiers.map((specifier) => relative(root, resolve(root, dirname(file), specifier)));
  return paths.filter((path) => path !== "package.json"); // the one place of the version
}

function files(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|js)$/.test(name) && !name.includes("node_modules"))
    .map((name) => join(folder, name));
}

describe("directions of import", () => {
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${folder}/ imports only ${allowed.length === 0 ? "itself" : allowed.join(", ")}`, () => {
      for (const file of files(folder)) {
        for (const imported of imports(file)) {
          const fine = [folder, ...allowed].some((place) => imported === place || imported.startsWith(`${place}/`));
          expect(fine, `${file} imports ${imported}`).to.equal(true);
        }
      }
    });
  }

  it("signer/ imports nothing but itself", () => {
    for (const file of files("signer")) {
      for (const imported of imports(file)) expect(imported, file).to.match(/^signer\//);
    }
  });
});
