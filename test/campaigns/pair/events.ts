import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "./machine.ts";
import { cut, power } from "./network.ts";

/** Ports of the services. */
export const TABLE_PORT = 9443;
export const VAULT_PORT = 8443;

/** What happens, and how it ends. */
export interface Event {
  readonly what: string;
  readonly planned: boolean;
  act(world: World): Promise<void>;
  /** As before it. */
  end(world: World): Promise<void>;
}

export interface World {
  readonly first: Machine;
  readonly second: Machine;
  /** The next request for a reservation has come to the table. */
  reserving(): Promise<void>;
}

/** Leaves the balancer as the machine's unit does before it goes down, then goes. */
async function leave(machine: Machine): Promise<void> {
  machine.signal("SIGUSR2");
  while (machine.status()?.balancer?.left !== true) await sleep(200);
  await machine.end("SIGTERM");
}

async function sendsTo(machine: Machine): Promise<void> {
  while (machine.status()?.balancer?.ready !== true) await sleep(200);
  await sleep(6_000); // heard twice
}

/** What happens to the second machine, or to one after the other. */
export const EVENTS: readonly Event[] = [
  {
    what: "kill -9",
    planned: false,
    act: ({ second }) => second.end("SIGKILL"),
    end: ({ second }) => second.start(),
  },
  {
    what: "machine without power",
    planned: false,
    act: async ({ second }) => power(second.place, false),
    end: async ({ second }) => power(second.place, true),
  },
  {
    what: "pause",
    planned: false,
    act: async ({ second }) => second.signal("SIGSTOP"),
    end: async ({ second }) => second.signal("SIGCONT"),
  },
  {
    what: "cut off from the table",
    planned: false,
    act: async ({ second }) => cut(second.place, TABLE_PORT),
    end: async ({ second }) => cut(second.place, undefined),
  },
  {
    what: "cut off from the vault",
    planned: false,
    act: async ({ second }) => cut(second.place, VAULT_PORT),
    end: async ({ second }) => cut(second.place, undefined),
  },
  {
    what: "reboot that Azure announces",
    planned: true,
    act: async ({ second }) => {
      const id = second.imds.events.schedule("Reboot");
      while (!second.imds.events.started(id)) await sleep(100);
      await second.end("SIGKILL");
      second.imds.events.finish(id);
    },
    end: ({ second }) => second.start(),
  },
  {
    what: "reboot for patches, one after the other",
    planned: true,
    act: async ({ first, second }) => {
      for (const machine of [second, first]) {
        await leave(machine);
        power(machine.place, false);
        await sleep(6_000); // away for a look of the balancer
        power(machine.place, true);
        await machine.start();
        await sendsTo(machine);
      }
    },
    end: async () => undefined,
  },
  {
    what: "upgrade of both, one after the other",
    planned: true,
    act: async ({ first, second }) => {
      for (const machine of [second, first]) {
        await leave(machine);
        await machine.start();
        await sendsTo(machine);
      }
    },
    end: async () => undefined,
  },
];
