/**
 * The pictures of the status page in docs/images: status*.png are of a report and a clock that are always the same,
 * running*.png of a signer that runs, healthy and with three faults done to it.
 *   node test/monitoring/pictures.ts
 * takes them anew.
 * @module
 */

import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pageOf } from "../../signer/report/page/page.ts";
import { AT, FAULTY, HEALTHY, hourOf } from "../harness/status-report.ts";
import { Browser, type Looks } from "./browser.ts";
import { PageSigner } from "./page-signer.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/images");
const PICTURES: Readonly<Record<string, readonly [page: "/good" | "/down", Looks, height: number]>> = {
  "status.png": ["/good", { width: 800, scheme: "light" }, 1_235],
  "status-phone-dark.png": ["/good", { width: 360, scheme: "dark" }, 780],
  "status-down.png": ["/down", { width: 800, scheme: "dark" }, 820],
  "status-down-phone.png": ["/down", { width: 360, scheme: "light" }, 780],
};

const PAGES = { "/good": pageOf(HEALTHY, hourOf(), AT).html, "/down": pageOf(FAULTY, hourOf(2), AT).html };
const server = createServer(({ url }, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8").end(PAGES[url as keyof typeof PAGES]);
});
await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
const { port } = server.address() as AddressInfo;
await using browser = await Browser.start();
for (const [name, [page, looks, height]] of Object.entries(PICTURES)) {
  const { picture } = await browser.look(`http://127.0.0.1:${port}${page}`, looks);
  await writeFile(resolve(FOLDER, name), await picture(height));
}
server.close();
server.closeAllConnections();

const LEVELS = 40;
await using running = await PageSigner.startHealthy(LEVELS, { maxAge: 10 });
const { signer, vault, live, baker } = running;
/** Takes a picture of a page that says what it is to show. @throws Error for another one */
const take = async (name: string, word: string, looks: Looks, height: number) => {
  const { picture, evaluate } = await browser.look(signer.adminUrl, looks);
  const shown = await evaluate("document.querySelector('h1').innerText");
  if (shown !== word) throw new Error(`${name} is to show ${word}, and the page says ${shown}`);
  await writeFile(resolve(FOLDER, name), await picture(height));
};
await take("running.png", "Good", { width: 800, scheme: "light" }, 1_000);
// Newer settings that are wrong, a node that tells no head any more, and a vault that is gone while somebody asks.
try {
  live.apply(JSON.stringify({ ...running.settings, policy: { default: { alow: ["block"] } } }));
} catch {}
baker.nodeIsThere = false;
while (!/^tezos_signer_head_unknown 1$/m.test(await (await fetch(`${signer.adminUrl}/metrics`)).text()))
  await sleep(500);
await vault.goAway();
for (let level = 0; level < 3; level++) await running.ask();
await take("running-three-faults.png", "Down", { width: 800, scheme: "dark" }, 1_100);
await take("running-three-faults-phone.png", "Down", { width: 360, scheme: "light" }, 900);
