/**
 * What the signer, the stack that builds its machine, and the machine itself must agree on. Values only, so that each of
 * them may import it.
 * @module
 */
export { CONSENSUS_KINDS } from "./tezos/payload/consensus-kind.ts";

/** Port of the signing port, octez's own default. */
export const SIGNER_PORT = 6732;

/**
 * How Azure's balancer asks whether a machine is ready: at the signing port, from one address, which is that of the
 * machine's own host, every `interval` seconds; after `threshold` answers that are not 200 it sends nothing new there
 * (load-balancer-custom-probe-overview, what-is-ip-address-168-63-129-16).
 */
export const PROBE = { path: "/readyz", from: "168.63.129.16", interval: 5, threshold: 2 } as const;

/** Port of the admin port, on loopback only. */
export const ADMIN_PORT = 9583;

/** Port on which the signer is watched from other computers, where the settings open one. */
export const METRICS_PORT = 9584;

/** Unix socket on which the VM's signer asks its operators (`tezos-signer confirm`). */
export const CONFIRMATION_SOCKET = "/run/tezos-signer/confirm.sock";

/** Folder in which the VM's service keeps its state: systemd's StateDirectory=. */
export const STATE_FOLDER = "/var/lib/tezos-signer";

/** Folder in which the machine's updater keeps what it knows: StateDirectory= of its service. */
export const UPDATER_FOLDER = "/var/lib/tezos-signer-updater";

/** Held by whatever changes which release a machine runs, so that two never do it at once (flock). */
export const UPDATER_LOCK = "/run/tezos-signer-updater.lock";

/** When a machine installs security upgrades, and restarts if one asks for it, where nobody says otherwise: UTC, every day. */
export const MAINTENANCE = "04:30";

/** Folder in which the machine puts what that port wants, `token`, `cert.pem` and `key.pem`; machine/bin/apply makes them. */
export const METRICS_FOLDER = "/etc/tezos-signer/metrics";

/** Namespace under which Azure Monitor keeps the signer's figures. */
export const FIGURES_NAMESPACE = "tezos-signer";

/** Tag of a vault key that names the watermark store which guards it: one key has one store. */
export const STORE_TAG = "tezos-signer-watermarks";

/** In place of a store's id: no store guards the key yet, so a signer, finding another name than its own, refuses it. */
export const UNBOUND = "unbound";
