/** Tezos secret keys in base58check, PEM with content, JSON web tokens, and what Azure's connection strings hold. */
export const SECRET = new RegExp(
  [
    /\b(edsk|spsk|p2sk|BLsk|edesk|spesk|p2esk|BLesk)[1-9A-HJ-NP-Za-km-z]{20}/,
    /PRIVATE KEY-----(\s|\\[nr])*[A-Za-z0-9+/]{20}/, // a line may end as JSON writes it
    /\beyJ[\w-]{20,}\.[\w-]{20}/,
    /AccountKey=[A-Za-z0-9+/]{20}/,
    /[?&]sig=[\w%]{20}/,
  ]
    .map(({ source }) => source)
    .join("|"),
);
