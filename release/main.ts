/**
 * `npm run release [-- --check] [-- --hardware] [--help]`: makes this checkout's release and says what it is.
 * @module
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { EXIT_CODES } from "./exit-codes.ts";
import { makeHardwareRelease, makeRelease, type Release, sizeOf } from "./make.ts";
import { publishedHash } from "./published.ts";

const USAGE = "npm run release [-- --check] [-- --hardware]";

const HELP = `${USAGE}

Makes the release of this checkout in .release/ and prints its name, SHA-256, size and path.
  --check     compares its SHA-256 with the one that CHANGELOG.md publishes for package.json's version
  --hardware  with the packages for PKCS#11 tokens and serial ports, compiled here, for this processor alone
  --help      prints this

Exit codes:
${Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}   ${meaning}`)
  .join("\n")}`;

type Ending = keyof typeof EXIT_CODES;

const root = resolve(import.meta.dirname, "..");

async function main(args: string[]): Promise<Ending> {
  let check: boolean;
  let hardware: boolean;
  for (const name of ["check", "hardware"]) {
    if (process.env[`npm_config_${name}`] === undefined) continue;
    console.error(`npm took --${name} for its own: write \`npm run release -- --${name}\``);
    return "usage";
  }
  try {
    const flag = { type: "boolean", default: false } as const;
    const options = { check: flag, hardware: flag, help: flag } as const;
    const { values } = parseArgs({ args, options });
    if (values.help) {
      console.log(HELP);
      return "done";
    }
    ({ check, hardware } = values);
    if (check && hardware)
      throw new Error("A release with --hardware depends on the compiler, so no hash is published for it");
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return "usage";
  }
  try {
    const release = await (hardware ? makeHardwareRelease : makeRelease)(root, (line) => console.error(line));
    console.log(describe(release, await sizeOf(release)));
    return check ? compare(release, changelog()) : "done";
  } catch (error) {
    console.error(`release: ${(error as Error).message}`);
    return "failed";
  }
}

/** The text of CHANGELOG.md; none where there is no such file. */
function changelog(): string {
  try {
    return readFileSync(join(root, "CHANGELOG.md"), "utf8");
  } catch {
    return "";
  }
}

function describe({ name, sha256, file }: Release, size: number): string {
  return `Release  ${name}
SHA-256  ${sha256}
Size     ${size} bytes
Path     ${file}
Check    echo '${sha256}  ${file}' | sha256sum --check`;
}

function compare({ version, sha256 }: Release, changelog: string): Ending {
  const published = publishedHash(changelog, version);
  if (published === undefined) {
    console.log(`\nNot published: CHANGELOG.md has no hash for ${version}`);
    return "unpublished";
  }
  if (published === sha256) {
    console.log(`\nThe same: CHANGELOG.md publishes this hash for ${version}`);
    return "done";
  }
  console.log(
    `\nDiffers: CHANGELOG.md publishes ${published} for ${version}. docs/releasing.md says how to find out why`,
  );
  return "differs";
}

// Nobody reads on (`| head`): what is left to say is dropped.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = EXIT_CODES[await main(process.argv.slice(2))].code;
