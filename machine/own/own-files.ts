import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MachineFiles } from "../updater/machine-files.ts";
import { LAYOUT } from "./layout.ts";

const SERVICE = "etc/systemd/system/tezos-signer.service";

/** The machine's files that a machine of one's own has too; firewall, SSH, packages and kernel are its owner's. */
const KEPT: readonly string[] = [
  SERVICE,
  "etc/systemd/system/tezos-signer.socket",
  "etc/systemd/system/tezos-signer-admin.socket",
  "etc/sysusers.d/tezos-signer.conf",
  "usr/local/bin/tezos-signer",
];

/** One line of the service that is another one here. docs/on-premises.md lists exactly these (test/machine/own/). */
export interface Difference {
  /** Finds the line of Azure's machine. */
  readonly from: RegExp;
  readonly to: string;
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    from: / --permission( --allow-fs-\w+=\S+)+/,
    to: "",
    why: "Node's permission model forbids fsync, which a watermark file needs, and the process that has a token's library in it. The sandbox around them stays.",
  },
  {
    from: / --no-addons /,
    to: " ",
    why: "What reaches a token or a board is compiled code. It can be loaded from the release and the system's libraries alone, by ExecPaths=.",
  },
  {
    from: / serve --user-data$/m,
    to: ` serve --config ${LAYOUT.settings}`,
    why: "There is no userData: settings are a file that root writes and the service reads.",
  },
  {
    from: /^(Environment=NODE_ENV=production)$/m,
    to: `$1\nEnvironmentFile=-${LAYOUT.environment}`,
    why: "A vendor's library finds its settings by variables, and so does Azure's sign-in; root writes them.",
  },
  {
    from: /^(ExecPaths=\S+)/m,
    to: "$1 -/opt/tezos-signer/current/hardware",
    why: "What loads a token's library is compiled code of the release; a release without --hardware has none.",
  },
];

/**
 * Makes the service of a machine of one's own from that of Azure's machine. Pure.
 * @param service text of machine/files' tezos-signer.service
 * @throws Error where a line that differs is not there
 */
export function ownService(service: string): string {
  return DIFFERENCES.reduce((text, { from, to }) => {
    if (!from.test(text)) throw new Error(`tezos-signer.service has nothing like ${from}`);
    return text.replace(from, to);
  }, service);
}

/** Leaves, of a release's machine files, those of a machine of one's own. @param place folder of the release, not in use yet */
export function keepOwnFiles(place: string): void {
  const files = join(place, "machine/files");
  for (const file of globSync("**", { cwd: files, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    if (file.isFile() && !KEPT.some((kept) => path === join(files, kept))) rmSync(path);
  }
  const service = join(files, SERVICE);
  writeFileSync(service, ownService(readFileSync(service, "utf8")));
}

/** Links to the files of the release in use; here nobody but root says how the machine is kept. */
export class OwnFiles extends MachineFiles {
  override set(): string {
    return "";
  }
}
