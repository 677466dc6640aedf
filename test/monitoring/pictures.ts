/**
 * The pictures of the status page in docs/images, of a report and a clock that are always the same:
 *   node test/monitoring/pictures.ts
 * takes them anew.
 * @module
 */

import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { pageOf } from "../../signer/report/page/page.ts";
import { AT, FAULTY, HEALTHY, hourOf } from "../harness/status-report.ts";
import { Browser, type Looks } from "./browser.ts";

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
