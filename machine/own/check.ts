import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { ADMIN_PORT } from "../../signer/contract.ts";
import { messageOf } from "../../signer/errors.ts";
import type { Settings } from "../../signer/settings/schema.ts";
import { missingPrograms } from "./computer.ts";
import { LAYOUT, USER } from "./layout.ts";
import { foreignNames } from "./names.ts";
import { isStarted, type OwnParts, readSettings, settingsText } from "./parts.ts";
import { overrides } from "./preparation.ts";

/** Something that was looked at. */
export interface Finding {
  readonly what: string;
  /** What is missing and what to do; undefined where all is well. */
  readonly remedy: string | undefined;
}

const AGAIN = "run sudo tezos-signer install";
/** How long a signer that does not run is tried, seconds. */
const TRIAL = 10;

/**
 * Looks at everything that an installation stands on, and changes nothing. A signer that runs is asked itself; one that does
 * not is tried once in its own sandbox, after what is cheaper to find.
 */
export async function check(parts: OwnParts): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const note = (what: string, remedy: string | undefined | false) =>
    found.push({ what, remedy: remedy === false ? undefined : remedy });
  note("the computer", missingPrograms().join(" ") || undefined);
  note("names", foreignNames("/").join(" ") || undefined);
  note("the release", parts.disk.current === undefined && `none is installed: ${AGAIN} from an unpacked release`);
  if (found.some(({ remedy }) => remedy !== undefined)) return found;
  note("the clock", clockFault(parts));
  const settings = judge(note);
  if (settings === undefined) return found;
  for (const [what, path, right] of needs(settings)) note(what, rightFault(parts, resolve(path), right));
  note("the port", await portFault(parts, settings));
  if (found.some(({ remedy }) => remedy !== undefined)) return found;
  note("the signer", await signerFault(parts));
  return found;
}

function judge(note: (what: string, remedy: string | undefined | false) => void): Settings | undefined {
  const text = settingsText();
  if (text === undefined) {
    note("the settings", `there is no ${LAYOUT.settings}: ${AGAIN}, which writes one`);
    return undefined;
  }
  try {
    const settings = readSettings(text);
    note("the settings", undefined);
    const { host, port } = settings.admin;
    const isUsual = host === "127.0.0.1" && port === ADMIN_PORT;
    note(
      "the admin port",
      !isUsual && `systemd holds 127.0.0.1:${ADMIN_PORT}: take admin.host and admin.port out of ${LAYOUT.settings}`,
    );
    const isTold = overrides(settings).every((step) => step.isDone());
    note("systemd", !isTold && `it does not know these settings yet: ${AGAIN}`);
    return settings;
  } catch (error) {
    note("the settings", messageOf(error));
    return undefined;
  }
}

/** What the service's user must be able to reach, by the right as test(1) has it; `-e`: what is there, since systemd gives the group. */
function needs({
  keys,
  watermarks,
  listen,
  metrics,
}: Settings): readonly [what: string, path: string, right: string][] {
  const files: [string, string, string][] = [["the settings' file", LAYOUT.settings, "-r"]];
  if (keys.kind === "pkcs11")
    files.push(["the token's library", keys.module, "-r"], ["the PIN's file", keys.pin.file, "-r"]);
  if (keys.kind === "tezio") files.push(["the board", keys.device, "-e"]);
  if (keys.kind === "local") files.push(["the keys' folder", keys.path, "-x"]);
  if (watermarks.kind === "sqlite") files.push(["the watermarks' folder", dirname(watermarks.path), "-w"]);
  if (listen.tls !== undefined)
    files.push(["the certificate", listen.tls.cert, "-r"], ["its key", listen.tls.key, "-r"]);
  if (metrics?.token !== undefined) files.push(["the metrics port's token", metrics.token.file, "-r"]);
  if (metrics?.tls !== undefined)
    files.push(["its certificate", metrics.tls.cert, "-r"], ["that one's key", metrics.tls.key, "-r"]);
  return files;
}

function rightFault({ run }: OwnParts, path: string, right: string): string | undefined {
  if (/^\/(?:home|root|tmp|var\/tmp)\//.test(path))
    return `${path} is where the service's sandbox has nothing: move it`;
  if (!existsSync(path)) return `there is no ${path}`;
  if (right === "-e") return undefined;
  if (run("runuser", "-u", USER, "--", "test", right, path).status === 0) return undefined;
  const verbs: Record<string, string> = { "-r": "read", "-w": "write in", "-x": "enter" };
  return `the user ${USER} may not ${verbs[right]} ${path}: give it to that user, or to the group ${USER}`;
}

async function portFault(parts: OwnParts, { listen: { host, port } }: Settings): Promise<string | undefined> {
  if (parts.run("systemctl", "is-active", "--quiet", "tezos-signer.socket").status === 0) return undefined;
  const fault = await new Promise<NodeJS.ErrnoException | undefined>((answer) => {
    const server = createServer().once("error", answer);
    server.listen(port, host, () => server.close(() => answer(undefined)));
  });
  if (fault === undefined) return undefined;
  if (fault.code === "EADDRINUSE") return `${host}:${port} is in use by another program: \`ss -ltnp\` names it`;
  return `${host}:${port} cannot be had (${fault.code}): mend listen in ${LAYOUT.settings}`;
}

function clockFault({ run }: OwnParts): string | undefined {
  const { output } = run("timedatectl", "show", "--value", "--property", "NTPSynchronized");
  return output === "yes"
    ? undefined
    : "it is set by nobody (timedatectl): bounds on levels and times go by it; set up NTP";
}

async function signerFault(parts: OwnParts): Promise<string | undefined> {
  const current = parts.disk.place(parts.disk.current ?? "");
  if (parts.service.process !== undefined) {
    const readiness = await parts.service.readiness();
    if (readiness === undefined) return "it does not answer: journalctl --unit tezos-signer";
    return readiness.ready ? undefined : `it runs, and is not ready: ${readiness.reasons.join(" ")}`;
  }
  const tried = parts.trial.of(current, TRIAL);
  if (tried.verdict !== "ready") return tried.reason;
  return isStarted(parts) ? "it does not run: sudo systemctl start tezos-signer" : `it would be ready: ${AGAIN}`;
}
