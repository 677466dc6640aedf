import { inPlaceOf, json, KEYS, type Look, nth, OWN, status, twist } from "./twists.ts";

const IMDS = /^169\.254/;

/** On the machine, and in its table. */
export const ON_MACHINE: Look = {
  part: "machine",
  faults: [
    {
      row: "machine's identity",
      says: "expires_in is 86400",
      breaks: twist(
        IMDS,
        /client_id=aaaaaaaa/,
        json((body) => {
          body.expires_in = 86_400;
        }),
      ),
    },
    {
      row: "another identity",
      says: "200, and not 400",
      breaks: twist(IMDS, /client_id=00000000/, status(200, "{}")),
    },
    {
      row: "tokens at once",
      says: "1 of ten are refused (429)",
      breaks: twist(IMDS, /aaaaaaaa/, nth(6, status(429, "{}"))),
    },
    {
      row: "vault by token",
      says: "asks for another token first",
      breaks: twist(OWN, KEYS, status(401, "{}")),
    },
    {
      row: "rights in the vault",
      says: "deleting is not refused as it should be (404 KeyNotFound)",
      breaks: twist(OWN, /no-such-key/, status(404, '{"error":{"code":"KeyNotFound"}}'), "DELETE"),
    },
    {
      row: "release by token",
      says: "does not read its release (403)",
      breaks: twist(/^tzrel/, /./, status(403), "HEAD"),
    },
    {
      row: "packages",
      says: "Err:1 http://azure.archive.ubuntu.com",
      breaks: ({ network }) => {
        network.programs["apt-get"] = ["Err:1 http://azure.archive.ubuntu.com/ubuntu", 100];
      },
    },
    {
      row: "clock",
      says: "not come from the host",
      breaks: ({ network }) => {
        network.programs.ls = ["", 2];
      },
    },
    {
      row: "no way out",
      says: "lets more out",
      breaks: ({ network }) => {
        network.elsewhere = "open";
      },
    },
    {
      row: "units",
      says: "failed: tezos-signer.service",
      breaks: ({ network }) => {
        network.programs.systemctl = ["tezos-signer.service loaded failed", 0];
      },
    },
    {
      row: "first boot",
      says: "no release on the machine",
      breaks: ({ network }) => {
        network.programs.test = ["", 1];
      },
    },
    {
      row: "row made once",
      says: "201, then 204",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(409, "", status(204)), "POST"),
    },
    {
      row: "row replaced once",
      says: "204, then 204",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(412, "", status(204)), "PUT"),
    },
    {
      row: "row's mark",
      says: "no odata.etag is in the body",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        inPlaceOf(
          200,
          "odata.etag",
          json((body) => void delete body["odata.etag"]),
        ),
        "GET",
      ),
    },
    {
      row: "service's time",
      says: "600 s from the machine's",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        (answer) => {
          answer.headers.date = "Sun, 29 Nov 2026 12:10:00 GMT";
        },
        "POST",
      ),
    },
    {
      row: "shared keys",
      says: "200 came",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(403, "KeyBased", status(200)), "GET"),
    },
    {
      row: "row removed",
      says: "still there (403 AuthorizationFailure)",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        status(403, '{"odata.error":{"code":"AuthorizationFailure"}}'),
        "DELETE",
      ),
    },
  ],
};

/** The table's role is not there. */
export const NO_ROLE: Look = {
  part: "machine",
  faults: [
    {
      row: "row made once",
      says: "the machine may not write its table (403 AuthorizationPermissionMismatch)",
      beside: ["row replaced once", "row's mark", "row removed", "shared keys"],
      breaks: twist(/^tezos.*table/, /./, status(403, '{"odata.error":{"code":"AuthorizationPermissionMismatch"}}')),
    },
  ],
};

/** A machine whose agent runs nothing. */
export const NO_AGENT: Look = {
  part: "machine",
  faults: [
    {
      row: "run command",
      says: "another command",
      beside: [...ON_MACHINE.faults.map(({ row }) => row).filter((row) => row !== "tokens at once"), "table's speed"],
      breaks: ({ cloud }) => {
        cloud.runCommands.busy = 2;
      },
    },
  ],
};
