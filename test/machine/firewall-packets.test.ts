import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const root = new URL("../../", import.meta.url).pathname;
const PROGRAMS = ["nft", "ip", "curl", "unshare", "nsenter", "python3"];
const ADDRESSES = ["84.20.19.1", "84.20.19.9", "84.20.20.7"];

/** The rules as the machine has them, with what machine/bin/apply adds for these addresses. */
function rulesFor(metrics: string): string {
  const rules = readFileSync(join(root, "machine/files/etc/tezos-signer/firewall.nft"), "utf8");
  const [, added = ""] = /<<<"(add rule .+)"/.exec(readFileSync(join(root, "machine/bin/apply"), "utf8")) ?? [];
  // nft looks names up, and the user is made on the machine only.
  const own = rules.replaceAll("root, tezos-signer", "0, 999").replaceAll(/^include .*$/gm, "");
  return metrics === "" ? own : `${own}\n${added.replace("$METRICS", metrics)}\n`;
}

/** A machine with these rules and another computer with some addresses, each in a network of its own, and a cable. */
const WORLD = `
set -e
unshare --net sleep 60 & other=$!
trap 'kill $other $server' EXIT
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
there() { nsenter --net=/proc/$other/ns/net "$@"; }
ip link set lo up
ip link add here type veth peer name there
ip link set there netns $other
ip address add 10.0.0.4/24 dev here && ip link set here up
for address in ${ADDRESSES.join(" ")}; do there ip address add $address/32 dev there; done
there ip link set there up
ip route add 84.20.0.0/16 dev here && there ip route add 10.0.0.0/24 dev there
nft --file -
python3 -c '
import http.server, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
for port in (22, 6732, 9584): threading.Thread(target=http.server.ThreadingHTTPServer(("0.0.0.0", port), Answer).serve_forever).start()
' & server=$!
until curl --silent --output /dev/null http://10.0.0.4:9584/ || [ $? != 7 ]; do sleep 0.05; done
for port in 22 6732 9584; do
  for address in ${ADDRESSES.join(" ")}; do
    # What is dropped is waited for, all at once.
    (there curl --silent --output /dev/null --interface $address --connect-timeout 5 http://10.0.0.4:$port/ &&
      echo "$address $port" || true) & asked="$asked $!"
  done
done
wait $asked
`;

function reached(metrics: string): string[] {
  const { stdout, stderr } = spawnSync("unshare", ["--net", "bash", "-c", WORLD], {
    input: rulesFor(metrics),
    encoding: "utf8",
  });
  expect(stderr).to.equal("");
  return stdout.trim().split("\n").sort();
}

describe("the machine's firewall, by packets", function () {
  this.timeout(60_000);
  before(function () {
    const missing = PROGRAMS.filter((name) => !hasProgram(name));
    requires(this, missing.length === 0 && process.getuid?.() === 0, `no ${missing.join(", ") || "root"}`);
  });

  it("lets the addresses of metricsIp reach the metrics port, and nobody else; and everybody the signing port, which the network's firewall guards", () => {
    const signing = ADDRESSES.map((address) => `${address} 6732`);
    const watching = ["84.20.19.1 9584", "84.20.20.7 9584"];
    expect(reached("84.20.19.1, 84.20.20.0/28")).to.deep.equal([...signing, ...watching].sort());
  });

  it("lets nobody reach it where there are none", () => {
    expect(reached("")).to.deep.equal(ADDRESSES.map((address) => `${address} 6732`));
  });
});
