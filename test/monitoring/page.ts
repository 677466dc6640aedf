import { appendFileSync } from "node:fs";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { BROWSER, Browser, type Looks } from "./browser.ts";
import { PageSigner } from "./page-signer.ts";

/** A phone that is small, and a window on a desk. */
const LOOKS: readonly Looks[] = ([360, 1_000] as const).flatMap((width) => [
  { width, scheme: "light" },
  { width, scheme: "dark" },
]);
/** A name that a node's operator, a client or whoever writes settings may choose. */
const MARKUP = "</li><script>document.title='run'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>\u202e";

/** What an element's text and background are, for a reader's contrast (WCAG 2.2, 1.4.3). */
const CONTRASTS = `[...document.querySelectorAll("h1, header p, header li, dt, dd, td, th, p, h2, h3, footer, span")]
  .filter((element) => element.innerText.trim() !== "")
  .map((element) => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    let behind = element;
    while (numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const light = (colour) => {
      const [red, green, blue] = numbers(colour).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const both = [light(getComputedStyle(element).color), light(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
    return { text: element.innerText.slice(0, 40), contrast: (both[0] + 0.05) / (both[1] + 0.05) };
  })`;

/** Part of `npm run test:metrics`. */
describe("the status page of a running signer, in Chromium", function () {
  this.timeout(120_000);
  const stack = new AsyncDisposableStack();
  let browser: Browser;
  let page: PageSigner;

  before(async function () {
    requires(this, hasProgram(BROWSER), "no chromium on PATH");
    page = stack.use(await PageSigner.startHealthy(3));
    browser = stack.use(await Browser.start());
  });
  after(() => stack.disposeAsync());

  /** Looks in each way, and holds the page to what every one must be. @returns its text at last */
  async function looks(word: string): Promise<string> {
    let text = "";
    for (const look of LOOKS) {
      const seen = await browser.look(page.signer.adminUrl, look);
      const what = `${word} at ${look.width} pixels, ${look.scheme}`;
      expect(await seen.evaluate("document.querySelector('h1').innerText"), what).to.equal(word);
      expect(seen.complaints, what).to.deep.equal([]);
      expect(seen.asked, what).to.deep.equal([`${page.signer.adminUrl}/`]);
      // A phone's window grows with what does not fit into it.
      const width = await seen.evaluate<number>("Math.max(innerWidth, document.documentElement.scrollWidth)");
      expect(width, what).to.be.at.most(look.width);
      // Half an inch, for an arm's length.
      expect(await seen.evaluate<number>("document.querySelector('h1').offsetHeight"), what).to.be.at.least(50);
      const contrasts = await seen.evaluate<{ text: string; contrast: number }[]>(CONTRASTS);
      expect(contrasts).to.have.length.greaterThan(20);
      for (const { text, contrast } of contrasts) expect(contrast, `${what}: "${text}"`).to.be.at.least(4.5);
      text = await seen.evaluate("document.body.innerText");
    }
    return text;
  }

  it("says Good of a healthy one, with its key's last signature", async () => {
    const text = await looks("Good");
    expect(text).to.match(/Signatures can be had, for \d+ (?:s|min)/);
    expect(text).to.match(/NetXdQprcVkpaWU\s+attestation\s+1003\s+0\s+\d+ (?:s|min)/);
    expect(text).to.match(/Signed, last hour\s+3\s+0 refused, 0 failed/);
  });

  it("asks for attention where newer settings are refused, whatever they have in them", async () => {
    expect(() => page.live.apply(JSON.stringify({ [MARKUP]: 7 }))).to.throw();
    const text = await looks("Attention");
    expect(text).to.include("The newest settings are not in use, those before are").and.include("<script>");
    expect(text).to.include("\\u202e").and.not.include("\u202e");
  });

  it("says Down while the vault is away, why, and since when, and Attention once it is back", async () => {
    await page.vault.goAway();
    expect(await page.ask()).to.equal(502);
    const text = await looks("Down");
    expect(text).to.match(/No signature can be had, for \d+ (?:s|min)/);
    expect(text).to.match(/Last refusals\s+The key did not answer in time/i);
    expect(text).to.match(/1 failed/);
    await page.vault.comeBack();
    while (!(await fetch(`${page.signer.adminUrl}/readyz`)).ok) await page.ask();
    expect(await looks("Attention")).to.match(/failed in the last 5 minutes/);
  });

  it("says Down where the store was touched, and that no signature is had until somebody mends it", async () => {
    appendFileSync(page.store, "x");
    expect(await page.ask()).to.equal(500);
    const text = await looks("Down");
    expect(text).to.match(/was changed by another program while it was in use\. Mend the cause/);
    expect(text).not.to.include("store did not answer in time");
  });
});
