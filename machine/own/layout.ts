import { STATE_FOLDER, UPDATER_FOLDER } from "../../signer/contract.ts";

/** Where a machine of one's own has what: the paths of docs/on-premises.md. */
export const LAYOUT = {
  /** The releases, and the link to the one in use. */
  opt: "/opt/tezos-signer",
  /** Settings, the PIN's file, the service's variables. */
  settingsFolder: "/etc/tezos-signer",
  settings: "/etc/tezos-signer/settings.yaml",
  environment: "/etc/tezos-signer/environment",
  /** Keys in files, watermarks: the service's own folder, systemd's StateDirectory=. */
  state: STATE_FOLDER,
  /** What the last upgrades did. */
  updater: UPDATER_FOLDER,
  units: "/etc/systemd/system",
} as const;

/** The service's user and group. */
export const USER = "tezos-signer";

/** What systemd runs, in the order in which it is stopped: a socket would start the service again. */
export const UNITS = ["tezos-signer.socket", "tezos-signer-admin.socket", "tezos-signer.service"] as const;
