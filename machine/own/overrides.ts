import { dirname, resolve } from "node:path";
import type { Settings } from "../../signer/settings/schema.ts";
import { LAYOUT } from "./layout.ts";
import { isUnder } from "./paths.ts";

const NAME = "50-settings.conf";
/** Begins each file. */
export const HEADER = `# Made by \`tezos-signer install\` of ${LAYOUT.settings}; that command makes it anew.\n`;

/** Where a service of systemd's own sandbox may run code from without being told (ExecPaths= of the service). */
const CODE = ["/usr/lib", "/lib", "/lib64", "/usr/lib64"];

/** Every file that settings may call for, by its path. */
export const OVERRIDES = {
  socket: `${LAYOUT.units}/tezos-signer.socket.d/${NAME}`,
  service: `${LAYOUT.units}/tezos-signer.service.d/${NAME}`,
} as const;

/**
 * Makes what systemd must know of the settings before the signer reads them: the port that it holds, and what the sandbox
 * opens for a token's library or a watermark file elsewhere. Pure.
 * @param settings with paths that the current folder leads to
 * @returns the text of each file of {@link OVERRIDES}; undefined where none is called for
 */
export function overridesOf({
  listen,
  keys,
  watermarks,
}: Settings): Record<keyof typeof OVERRIDES, string | undefined> {
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  const lines: string[] = [];
  if (keys.kind === "pkcs11" && !CODE.some((folder) => isUnder(folder, keys.module))) {
    lines.push(`ExecPaths=${pathInUnit(dirname(resolve(keys.module)))}`);
  }
  // The board's number may be another after it was plugged in again, so the kind is let in and not the one device.
  if (keys.kind === "tezio")
    lines.push("PrivateDevices=no", "DeviceAllow=char-ttyACM rw", "SupplementaryGroups=dialout");
  if (watermarks.kind === "sqlite" && !isUnder(LAYOUT.state, watermarks.path)) {
    lines.push(`ReadWritePaths=${pathInUnit(dirname(resolve(watermarks.path)))}`);
  }
  return {
    socket: `${HEADER}[Socket]\nListenStream=\nListenStream=${host}:${listen.port}\n`,
    service: lines.length === 0 ? undefined : `${HEADER}[Service]\n${lines.join("\n")}\n`,
  };
}

/** Writes a path so that systemd takes it for one, whatever is in its name (systemd.syntax(7), systemd.unit(5) "Specifiers"). */
function pathInUnit(path: string): string {
  if (/^[\w/.@:+-]+$/.test(path)) return path;
  return `"${path.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("%", "%%")}"`;
}
