import { StartError } from "../errors.ts";

/** The descriptors of the listening sockets that systemd has opened, by what they are for. */
export interface InheritedSockets {
  readonly signer: number;
  readonly admin: number;
}

/** sd_listen_fds(3): the first descriptor that is passed. */
const FIRST = 3;
const NAMES = ["signer", "admin"] as const;
const CURE =
  "Name them with FileDescriptorName= in two socket units: signer for the signing port, admin for the other.";

/**
 * Takes the sockets that systemd hands to a service, so that a port stays open while no process serves it
 * (sd_listen_fds(3)). The variables are removed: a child process must not take them for its own.
 * @param env where LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES stand
 * @returns undefined where this process was given none
 * @throws StartError for sockets that are not exactly the two
 */
export function takeInheritedSockets(env: NodeJS.ProcessEnv = process.env): InheritedSockets | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: text = "" } = env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[name];
  if (count === undefined || Number(pid) !== process.pid) return undefined;
  const names = text.split(":");
  if (Number(count) !== names.length) throw refusal(`${count} sockets and ${names.length} names (${text || "none"})`);
  for (const name of names) if (!NAMES.some((known) => known === name)) throw refusal(`a socket named ${name}`);
  for (const name of NAMES) {
    const found = names.filter((each) => each === name).length;
    if (found !== 1) throw refusal(`${found === 0 ? "no socket" : `${found} sockets`} named ${name}`);
  }
  return { signer: FIRST + names.indexOf("signer"), admin: FIRST + names.indexOf("admin") };
}

function refusal(what: string): StartError {
  return new StartError(
    "unusable",
    `systemd passed ${what}; the signer takes one named signer and one named admin. ${CURE}`,
  );
}
