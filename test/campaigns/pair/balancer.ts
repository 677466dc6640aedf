import { execFileSync } from "node:child_process";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "../../emulators/command-line.ts";

/**
 * A balancer as Azure's is: it sends packets, and ends no connection. Every new connection is sent to a machine that was
 * found ready, by a hash of where it comes from; one that is open stays where it is, whatever becomes of the machine
 * (load-balancer-custom-probe-overview). Runs at the front, and says each change on a line.
 */
const INTERVAL = 5_000;
const THRESHOLD = 2;
const PROBER = "168.63.129.16";
const PORT = 6732;

const [front = "", ...machines] = commandLine("test:pair", "The balancer of the campaign of the pair.")
  .argument("<addresses...>")
  .parse().args;

/** Whether each machine gets what is new, and how often in a row the other thing was found. */
const states = machines.map((address) => ({ address, up: false, other: 0 }));

async function isReady(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(INTERVAL);
    const options = { host: address, port: PORT, path: "/readyz", localAddress: PROBER, agent: false as const, signal };
    get(options, (response) => {
      response.resume();
      response.on("error", () => resolve(false));
      response.on("end", () => resolve(response.statusCode === 200));
    }).on("error", () => resolve(false));
  });
}

/** A new connection alone is looked up here; the kernel remembers where it sent the others. */
function send(): void {
  const up = states.filter((state) => state.up).map(({ address }) => address);
  const to = up.map((address, index) => `${index} : ${address}`).join(", ");
  const asked = `ip daddr ${front} tcp dport ${PORT}`;
  const rule =
    up.length === 0
      ? `chain new { type filter hook prerouting priority mangle; ${asked} ct state new drop; }`
      : `chain new { type nat hook prerouting priority dstnat; ${asked} dnat to jhash ip saddr . tcp sport mod ${up.length} map { ${to} }; }`;
  const rules = `table ip pair
delete table ip pair
table ip pair {
  ${rule}
}
`;
  execFileSync("nft", ["-f", "-"], { input: rules });
  console.log(JSON.stringify({ up }));
}

send();
for (;;) {
  const began = performance.now();
  const found = await Promise.all(states.map(({ address }) => isReady(address)));
  let changed = false;
  for (const [index, state] of states.entries()) {
    state.other = found[index] === state.up ? 0 : state.other + 1;
    if (state.other < THRESHOLD) continue;
    Object.assign(state, { up: !state.up, other: 0 });
    changed = true;
  }
  if (changed) send();
  await sleep(Math.max(0, INTERVAL - (performance.now() - began)));
}
