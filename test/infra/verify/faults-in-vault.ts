import {
  again,
  inPlaceOf,
  json,
  KEYS,
  type Listed,
  type Look,
  ONE,
  refusedWith,
  SIGN_ONE,
  status,
  THROWN,
  twist,
  VERSION_OF_ONE,
} from "./twists.ts";

export const VAULT: Look = {
  part: "vault",
  faults: [
    {
      row: "signature",
      says: "it is not the key's",
      breaks: twist(
        THROWN,
        SIGN_ONE,
        inPlaceOf(
          200,
          "",
          json((body) => {
            const bytes = Buffer.from(String(body.value), "base64url");
            bytes[40] = (bytes[40] ?? 0) ^ 1;
            body.value = bytes.toString("base64url");
          }),
        ),
      ),
    },
    {
      row: "short digest",
      says: "200 came, and not 400 BadParameter",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(400, "Invalid length", status(200, "{}"))),
    },
    {
      row: "other algorithm",
      says: "200 came",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(400, "incompatible", status(200, "{}"))),
    },
    { row: "unknown version", says: "404 came", breaks: twist(THROWN, /2099-01-01/, status(404, "{}")) },
    { row: "attestation", says: "404 came", breaks: twist(THROWN, /attestation/, status(404, "{}")) },
    {
      row: "disabled key",
      says: "403 Forbidden KeyNotFound came",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(403, "KeyDisabled", refusedWith("KeyNotFound"))),
    },
    {
      row: "disabled key is read",
      says: "403 Forbidden KeyDisabled",
      breaks: twist(THROWN, ONE, inPlaceOf(200, '"enabled":false', refusedWith("KeyDisabled")), "GET"),
    },
    {
      row: "expired key",
      says: "the signer takes it for a missing permission",
      breaks: twist(THROWN, /^\/keys\/k2\/sign/, inPlaceOf(403, "KeyExpired", refusedWith("KeyInvalid"))),
    },
    {
      row: "missing permission",
      says: "404 came",
      breaks: twist(THROWN, /^\/deletedkeys\/none/, status(404, "{}")),
    },
    {
      row: "deleted key",
      says: "409 came",
      breaks: twist(THROWN, /^\/keys\/k2\/sign/, inPlaceOf(404, "", status(409, "{}"))),
    },
    {
      row: "deleted key is listed",
      says: "not as deleted within a minute (404",
      breaks: twist(THROWN, /^\/deletedkeys\/k2/, status(404, "{}")),
    },
    {
      row: "throttling",
      says: "none refused",
      breaks: twist(THROWN, /^\/keys\/k7\/create/, inPlaceOf(429, "", status(200, "{}"))),
    },
    {
      row: "list tells a change",
      says: "the signer would see it late",
      breaks: twist(
        THROWN,
        KEYS,
        inPlaceOf(
          200,
          "",
          json((body) => {
            for (const { attributes } of body.value as Listed) attributes.updated = attributes.created;
          }),
        ),
      ),
    },
    {
      row: "tags of versions",
      says: "shows another one's tags",
      breaks: twist(
        THROWN,
        /versions/,
        json((body) => {
          for (const version of body.value as Record<string, unknown>[]) version.tags = { a: "b" };
        }),
      ),
    },
    {
      row: "disabled version is read",
      says: "passes over its tag",
      breaks: twist(THROWN, VERSION_OF_ONE, inPlaceOf(200, '"enabled":false', refusedWith("KeyDisabled")), "GET"),
    },
    {
      row: "one key, two names",
      says: "200, then 200",
      breaks: twist(
        THROWN,
        /^\/keys\/k5/,
        json((body) => {
          (body.key as { x: string }).x = "another";
        }),
      ),
    },
    {
      row: "curve by its old name",
      says: "ECDSA256 400",
      breaks: twist(THROWN, /^\/keys\/k6\/sign/, status(400, "{}")),
    },
    { row: "wrapped key", says: "400", breaks: twist(THROWN, /^\/keys\/k8/, status(400, "{}")) },
    { row: "blob cut short", says: "200 came", breaks: twist(THROWN, /^\/keys\/k9/, status(200, "{}")) },
    {
      row: "deleted vault",
      says: "not listed; its name again: ConflictError",
      breaks: ({ cloud }) =>
        void cloud.account.faults.push({ path: /deletedVaults\/tzver\w+$/, status: 404, body: "{}" }),
    },
  ],
};

export const OTHER_VAULT: Look = {
  part: "vault",
  faults: [
    { row: "nonces", says: "1 of 20 differ", breaks: twist(THROWN, SIGN_ONE, again()) },
    {
      row: "list tells a version",
      says: "does not change created",
      breaks: twist(
        THROWN,
        KEYS,
        inPlaceOf(
          200,
          "",
          json((body) => {
            for (const { attributes } of body.value as Listed) attributes.created = 1;
          }),
        ),
      ),
    },
    {
      row: "exchange key",
      says: "it may import,wrapKey",
      beside: ["wrapped key", "blob cut short"],
      breaks: twist(
        THROWN,
        /^\/keys\/kek/,
        json((body) => {
          (body.key as { key_ops: string[] }).key_ops = ["import", "wrapKey"];
        }),
      ),
    },
    {
      row: "taken away",
      says: "still there (403 AuthorizationFailed)",
      breaks: ({ cloud }) => {
        const body = '{"error":{"code":"AuthorizationFailed"}}';
        cloud.account.faults.push({ path: /\/purge$/, method: "POST", status: 403, body });
      },
    },
  ],
};

export const SHORT: Look = {
  part: "vault",
  faults: [
    {
      row: "halves of S",
      says: "no 64 bytes come",
      beside: ["signature"],
      breaks: twist(
        THROWN,
        SIGN_ONE,
        inPlaceOf(
          200,
          "",
          json((body) => {
            body.value = String(body.value).slice(0, 20);
          }),
        ),
      ),
    },
  ],
};
