import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { atEnd } from "./at-end.ts";

/**
 * Four computers of the kernel's own making: two machines, the balancer's place on the way to them, and the baker, which
 * reaches them through it alone. The services (vault, table, metadata) are where this process is.
 */
export const PLACES = { first: "10.24.77.21", second: "10.24.77.22", front: "10.24.77.10", services: "10.24.77.1" };

/** Names of vault and table, as the machines know them. */
export const HOSTS = { vault: "pair-test.vault.azure.net", table: "pairtest.table.core.windows.net" };

const BAKER = { gateway: "10.24.78.1", own: "10.24.78.2" };

/** Azure asks from here whether a machine is ready (what-is-ip-address-168-63-129-16). */
const PROBER = "168.63.129.16";

export type Place = "first" | "second" | "front" | "baker";

const NAMES: readonly Place[] = ["first", "second", "front", "baker"];

/** The name of a place in the kernel. */
export function namespace(place: Place): string {
  return `pair-${process.pid}-${place}`;
}

/** What `ip netns exec` lays over /etc (ip-netns(8)). */
function filesOf(place: Place): string {
  return `/etc/netns/${namespace(place)}`;
}

export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs a command at a place. */
export function at(place: Place, program: string, ...args: string[]): string {
  return run("ip", "netns", "exec", namespace(place), program, ...args);
}

/** Makes the places and the lines between them. @returns what takes them away again */
export function makePlaces(): Disposable {
  const bridge = `pair${process.pid}`;
  const away = () => {
    for (const place of NAMES) {
      attempt("ip", "netns", "del", namespace(place));
      rmSync(filesOf(place), { recursive: true, force: true });
    }
    attempt("ip", "link", "del", bridge);
  };
  const end = atEnd(away);
  try {
    run("ip", "link", "add", bridge, "type", "bridge");
    run("ip", "address", "add", `${PLACES.services}/24`, "dev", bridge);
    run("ip", "link", "set", bridge, "up");
    for (const place of NAMES) {
      run("ip", "netns", "add", namespace(place));
      mkdirSync(filesOf(place), { recursive: true });
      const names = Object.values(HOSTS).join(" ");
      writeFileSync(`${filesOf(place)}/hosts`, `127.0.0.1 localhost\n${PLACES.services} ${names}\n`);
    }
    for (const place of ["first", "second", "front"] as const) plug(place, bridge);
    line();
    for (const place of NAMES) at(place, "ip", "link", "set", "lo", "up");
    at("front", "sysctl", "-qw", "net.ipv4.ip_forward=1");
    at("front", "ip", "address", "add", `${PROBER}/32`, "dev", "lo");
    for (const machine of ["first", "second"] as const) {
      for (const net of ["10.24.78.0/24", `${PROBER}/32`]) at(machine, "ip", "route", "add", net, "via", PLACES.front);
    }
    at("baker", "ip", "route", "add", "default", "via", BAKER.gateway);
    return end;
  } catch (error) {
    end[Symbol.dispose]();
    throw error;
  }
}

function plug(place: "first" | "second" | "front", bridge: string): void {
  const outer = `p${process.pid}-${place.slice(0, 2)}`;
  run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace(place));
  run("ip", "link", "set", outer, "master", bridge, "up");
  at(place, "ip", "address", "add", `${PLACES[place]}/24`, "dev", "eth0");
  at(place, "ip", "link", "set", "eth0", "up");
}

/** The baker's line, which ends at the front. */
function line(): void {
  at("front", "ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", namespace("baker"));
  at("front", "ip", "address", "add", `${BAKER.gateway}/24`, "dev", "eth1");
  at("front", "ip", "link", "set", "eth1", "up");
  at("baker", "ip", "address", "add", `${BAKER.own}/24`, "dev", "eth0");
  at("baker", "ip", "link", "set", "eth0", "up");
}

/** A machine's power: without it nothing answers, and nothing says so. */
export function power(machine: "first" | "second", on: boolean): void {
  at(machine, "ip", "link", "set", "eth0", on ? "up" : "down");
  if (!on) return;
  for (const net of ["10.24.78.0/24", `${PROBER}/32`])
    attempt("ip", "netns", "exec", namespace(machine), "ip", "route", "add", net, "via", PLACES.front);
}

/** Cuts a machine off from a port of the services, by dropping what it sends there, or lets it through again. */
export function cut(machine: "first" | "second", port: number | undefined): void {
  attempt("ip", "netns", "exec", namespace(machine), "nft", "delete", "table", "inet", "cut");
  if (port === undefined) return;
  at(
    machine,
    "nft",
    `add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out ip daddr ${PLACES.services} tcp dport ${port} drop`,
  );
}

function attempt(program: string, ...args: string[]): void {
  try {
    run(program, ...args);
  } catch {
    // It was not there.
  }
}
