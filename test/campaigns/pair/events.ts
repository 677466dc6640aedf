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
}

/** Between two looks at a machine, milliseconds: each starts two programs. */
const LOOK = 500;

/** Leaves the balancer as the machine's unit does before it goes down, then goes. */
async function leave(machine: Machine): Promise<void> {
  machine.signal("SIGUSR2");
  while ((await machine.status())?.balancer?.left !== true) await sleep(LOOK);
  await machine.end("SIGTERM");
}

/** Waits until a machine says of another one that it takes what is new, as somebody does who looks before he goes on. */
export async function saysReady(machine: Machine, { place }: Machine): Promise<void> {
  const from = Date.now();
  const isNow = (one: { machine: string; ready: boolean; seenAt: string }) =>
    one.machine === place && one.ready && Date.parse(one.seenAt) > from;
  while ((await machine.status())?.otherMachines?.some(isNow) !== true) await sleep(LOOK);
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
    what: "drain, as before az vm restart of one",
    planned: true,
    act: ({ second }) => leave(second),
    end: ({ second }) => second.start(),
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
    what: "reboot that Azure announces for both at once",
    planned: true,
    act: async ({ first, second }) => {
      const machines = [first, second].map((machine) => ({ machine, id: machine.imds.events.schedule("Reboot") }));
      await Promise.all(
        machines.map(async ({ machine, id }) => {
          while (!machine.imds.events.started(id)) await sleep(100);
          await machine.end("SIGKILL");
          machine.imds.events.finish(id);
          await machine.start();
        }),
      );
      await Promise.all([saysReady(first, second), saysReady(second, first)]);
    },
    end: async () => undefined,
  },
  {
    what: "reboot for patches, one after the other",
    planned: true,
    act: async ({ first, second }) => {
      for (const [machine, other] of [[second, first] as const, [first, second] as const]) {
        await leave(machine);
        power(machine.place, false);
        await sleep(6_000); // away for a look of the balancer
        power(machine.place, true);
        await machine.start();
        await saysReady(other, machine);
      }
    },
    end: async () => undefined,
  },
  {
    what: "upgrade of both, one after the other",
    planned: true,
    act: async ({ first, second }) => {
      for (const [machine, other] of [[second, first] as const, [first, second] as const]) {
        await leave(machine);
        await machine.start();
        await saysReady(other, machine);
      }
    },
    end: async () => undefined,
  },
];
