import { globSync } from "node:fs";
import { expect } from "chai";
import { ERRORS, type ErrorCode, SignerError } from "../../signer/errors.ts";
import { bindingProblem } from "../../signer/keys/store-binding.ts";
import { unseenReason } from "../../signer/observability/pulse.ts";
import { fullReason } from "../../signer/report/parts.ts";
import { ROOT, textOf } from "./pages.ts";

const page = textOf("docs/symptoms.md");
const section = (heading: string) => page.split(`\n## ${heading}`)[1]?.split("\n## ")[0] ?? "";
const rows = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));
const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);

const sources = globSync("signer/**/*.ts", { cwd: ROOT }).map(textOf).join("\n");

/** What the code says in these words, with something before it. */
function said(words: string): string {
  expect(sources, words).to.include(words);
  return `https://tezos-0a1b.vault.azure.net${words}`;
}

/** A beginning in which `…` stands for anything. */
const formOf = (text: string) =>
  new RegExp(
    `^${text
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}`,
  );

const refused = (code: ErrorCode) => new SignerError(code, "why").message;

/** A reason of each kind that /readyz gives, by the code that makes it. */
const REASONS = [
  refused("watermark-missing"),
  refused("watermark-untrusted"),
  refused("watermark-unavailable"),
  refused("level-implausible"),
  unseenReason("The watermark store", 0) ?? "",
  unseenReason("What holds the keys", 0) ?? "",
  bindingProblem({ location: "baker", boundStoreId: "a", bindingConflict: undefined } as never, "b") ?? "",
  fullReason("tz3…"),
  ...[
    " did not show every key.",
    " has a key that the settings name and that cannot sign",
    " has no key that can sign",
  ].map(said),
  ...[" cannot be used now. ", " cannot sign. "].map(said),
  said("The watermark store has not answered yet.").replace(/^\S+net/, ""),
  said("There is no key that can sign.").replace(/^\S+net/, ""),
  said("The newest settings are not in use, those before are: ").replace(/^\S+net/, ""),
  said(".cert ended at ").replace(/^\S+net/, "The certificate of listen.tls"),
  said("The vault holds the key ").replace(/^\S+net/, "") + said(" more than once, bound"),
  "The block of tz3… on NetX… is at level 9, and the head of its chain at 8",
];

describe("docs/symptoms.md", () => {
  it("has an answer to every error that a client can get, beside its status", () => {
    const found = rows(section("The baker shows a refusal")).flatMap(([, statuses = "", codes = "", answer = ""]) => {
      expect(answer, codes).to.include("](");
      return quoted(codes).map((code) => {
        const status = ERRORS[code as ErrorCode]?.status;
        expect(statuses.split(", "), code).to.include(String(status));
        return code;
      });
    });
    expect(found).to.have.members(Object.keys(ERRORS));
  });

  it("has an answer to every reason for which a signer is not ready, and none that no signer gives", () => {
    const answers = rows(section("It is not ready")).map(([, reason = "", answer = ""]) => ({ reason, answer }));
    const patterns = answers.flatMap(({ reason, answer }) => {
      expect(answer, reason).to.match(/\]\(/);
      return quoted(reason).map((text) => ({
        text,
        form: formOf(text),
      }));
    });
    const unanswered = REASONS.filter((reason) => !patterns.some(({ form }) => form.test(reason)));
    expect(unanswered).to.deep.equal([]);
    const unknown = patterns.filter(({ form }) => !REASONS.some((reason) => form.test(reason)));
    expect(unknown.map(({ text }) => text)).to.deep.equal([]);
  });
});
