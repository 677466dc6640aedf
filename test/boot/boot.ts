import { readFileSync } from "node:fs";
import { expect } from "chai";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { NODE_RELEASE } from "../../cloud-init/node-release.ts";
import { customData } from "../../cloud-init/user-data.ts";
import { Downloads } from "./downloads.ts";
import { connectNetwork, GATEWAY, Machine } from "./machine.ts";

const root = new URL("../../", import.meta.url).pathname;
describe("try", () => {
  it("boots", async () => {
    connectNetwork();
    const downloads = new Downloads(process.env.BOOT_SUPPLIES!, readFileSync(root + "package-lock.json", "utf8"));
    await downloads.listen(GATEWAY, 8080);
    const sha256 = { x64: downloads.nodeSha256, arm64: downloads.nodeSha256 };
    const m = new Machine({
      root: process.env.BOOT_ROOT!,
      customData: customData(readCheckout(root), {
        ssh: true,
        maintenance: "04:30",
        node: { ...NODE_RELEASE, baseUrl: `${downloads.url}/dist`, sha256 },
      }),
      files: {
        "/root/.npmrc": `registry=${downloads.url}/npm/\n`,
        "/etc/cloud/cloud.cfg.d/99-container.cfg": "locale: false\n",
        "/etc/apt/sources.list": `deb [trusted=yes] ${downloads.url}/apt ./\n`,
      },
    });
    m.start();
    try {
      await m.says(/tezos-signer-packages: complete/, 60);
    } catch (e) {
      console.log(String(e).slice(0, 100));
    }
    console.log(m.console);
    for (const c of [
      "systemctl --failed",
      "journalctl -b -u 'tezos-signer*' --no-pager | tail -50",
      "cat /var/lib/tezos-signer-*/status",
      "nft list ruleset",
      "ss -ltnp",
      "sshd -T | head -50",
      "cloud-init status --long",
      "tail -50 /var/log/cloud-init-output.log",
    ])
      console.log(c, "\n", m.run(c).output);
    await m.remove();
    downloads.close();
  });
});
