import { networkInterfaces } from "node:os";
import { ADMIN_PORT } from "../contract.ts";
import type { RunningSigner } from "../main.ts";
import { ownCommand } from "../own-command.ts";
import { type Permission, policyOf } from "../policy/policy.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { hang, shellWord, WIDTH } from "./text.ts";

const EVERYBODY =
  'everybody who reaches it. docs/operate.md, "Let only your own client ask", makes it your client alone';

/**
 * Says what a signer that has begun to listen serves, where a baker finds it, who may ask, and how it is watched and stopped.
 * @param defaultSocket where `confirm` looks by itself; undefined where that is not known
 */
export function introduction(
  { url, adminUrl, keyring, readiness }: Pick<RunningSigner, "url" | "adminUrl" | "keyring" | "readiness">,
  { current, source }: Pick<LiveSettings, "current" | "source">,
  defaultSocket: string | undefined,
): string {
  const { ready, reasons } = readiness();
  const [reached, ...others] = reachable(url);
  const status = ownCommand(adminUrl === `http://127.0.0.1:${ADMIN_PORT}` ? "status" : `status --admin ${adminUrl}`);
  const keys = [...keyring.keys.values()].flatMap(({ publicKey: { address, base58 } }) => {
    const { allow, confirm = [] } = policyOf(current.policy, address);
    const octez = ["In octez:", `  octez-client import secret key my_key ${reached}/${address}`];
    return [
      `Address     ${address}`,
      `Public key  ${base58}`,
      `Signs       ${list(allow)}`,
      ...(confirm.length === 0
        ? []
        : [`Waits for you: ${list(confirm)}`, `  ${confirmCommand(current, defaultSocket)}`]),
      ...(ready ? octez : []),
      "",
    ];
  });
  return [
    ...keys,
    `Signer      ${reached}${others.length === 0 ? "" : `, or ${others.join(", ")}`}`,
    `Status      ${adminUrl}/status, in words: ${status}`,
    `Settings    ${source}`,
    hang(
      "May ask     ",
      current.authentication === undefined ? EVERYBODY : "who holds a key of `authentication`",
      WIDTH,
    ),
    ...(ready
      ? []
      : ["", ...reasons.map((reason) => `NOT READY: ${reason}`), `When it is ready, this says so: ${status}`]),
    "Ctrl-C stops it.",
  ].join("\n");
}

function list(permissions: readonly Permission[]): string {
  return permissions.length === 0 ? "nothing" : permissions.join(", ");
}

/** What a person types to be asked. */
function confirmCommand({ confirmation }: LiveSettings["current"], defaultSocket: string | undefined): string {
  if (confirmation === undefined) return "nobody can be asked: confirmation.socket is not set";
  const { socket } = confirmation;
  return `→ ${ownCommand(socket === defaultSocket ? "confirm" : `confirm --socket ${shellWord(socket)}`)}`;
}

/** The addresses by which a baker reaches what listens at a URL: one that stands for all is none that can be asked. */
function reachable(text: string): readonly string[] {
  const url = new URL(text);
  if (!["0.0.0.0", "[::]"].includes(url.hostname)) return [text];
  const outside = outsideAddresses();
  const hosts = outside.length === 0 ? ["127.0.0.1"] : outside;
  return hosts.map((host) => `${url.protocol}//${host}:${url.port}`);
}

/** This computer's IPv4 addresses; none where it does not tell, as a service without AF_NETLINK is told none. */
function outsideAddresses(): readonly string[] {
  try {
    const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
    return all.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
  } catch {
    return [];
  }
}
