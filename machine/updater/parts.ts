import type { UserDataDocument } from "../../signer/azure/user-data-document.ts";
import type { Ended } from "./command.ts";
import type { Disk, Sha256 } from "./disk.ts";
import type { MachineFiles } from "./machine-files.ts";
import type { Service } from "./service.ts";
import type { StateFile } from "./state.ts";
import type { Outcome } from "./trial.ts";

/** The release that userData names, and where it is fetched. */
export type Release = NonNullable<UserDataDocument["release"]>;

/** What an upgrade works with. */
export interface UpgradeParts {
  readonly disk: Disk;
  readonly state: StateFile;
  readonly files: MachineFiles;
  readonly service: Service;
  /** Tries the release at a place, for so many seconds. */
  readonly trial: (place: string, seconds: number) => Outcome;
  /** Makes what the release at a place starts faster with, where it is not there. @returns why there is none */
  readonly compile: (place: string) => string | undefined;
  /** Fetches and unpacks a release; exit status 0 where it is there, else the reason in the output. */
  readonly fetch: (release: Release) => Ended;
  /** Puts the machine's own files in force. @returns whether the firewall is in force */
  readonly apply: () => Promise<boolean>;
  /** Puts the firewall of the release at a place in force, and nothing else. */
  readonly firewall: (place: string) => void;
  /** Whether userData still names this release with settings of this version; true where it cannot be read now. */
  readonly isWanted: (sha256: Sha256, settings: string) => Promise<boolean>;
  /** The version that the release at a place says it is. */
  readonly versionAt: (place: string) => string;
  /** Tells the console and the journal. */
  readonly say: (text: string) => void;
  /** How long a new release must sign without a fault before it is trusted, milliseconds. */
  readonly watch: number;
  readonly clock: () => number;
}
