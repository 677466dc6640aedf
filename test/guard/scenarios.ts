import type { ExplorerRequest, Scenario } from "./explorer/world.ts";

type Kind = ExplorerRequest["kind"];

function request(signer: 0 | 1, kind: Kind, bytes: string, level: number, round = 0): ExplorerRequest {
  return { signer, kind, bytes, level, round };
}

/** Three requests to two signers: same and other bytes, same and other positions, one kind and two. */
export const SCENARIOS: readonly Scenario[] = (["block", "attestation"] as const)
  .flatMap((kind): Scenario[] => [
    {
      name: `${kind}: the same bytes to both signers, others at their position`,
      begins: "rows",
      requests: [request(0, kind, "X", 1), request(1, kind, "X", 1), request(1, kind, "Y", 1)],
    },
    {
      name: `${kind}: other bytes to each signer, and the next level`,
      begins: "rows",
      requests: [request(0, kind, "X", 1), request(1, kind, "Y", 1), request(0, kind, "Z", 2)],
    },
    {
      name: `${kind}: two rounds in one signer, the lower one in the other too`,
      begins: "rows",
      requests: [request(0, kind, "X", 1), request(0, kind, "Y", 1, 1), request(1, kind, "X", 1)],
    },
    {
      name: `${kind}: the first row of all, by both signers`,
      begins: "empty",
      requests: [request(0, kind, "X", 1), request(1, kind, "Y", 1), request(1, kind, "X", 1)],
    },
  ])
  .concat([
    {
      name: "two kinds at once",
      begins: "rows",
      requests: [request(0, "block", "X", 1), request(1, "block", "X", 1), request(0, "attestation", "V", 1)],
    },
    {
      name: "the store itself made by both signers",
      begins: "no-store",
      requests: [request(0, "attestation", "X", 1), request(1, "attestation", "Y", 1)],
    },
    ...(["block", "attestation"] as const).flatMap((kind): Scenario[] => [
      {
        name: `${kind}: other bytes of its position are imported`,
        begins: "rows",
        requests: [request(0, kind, "X", 1), request(1, kind, "X", 1)],
        imported: { kind, bytes: "Y", level: 1, round: 0 },
      },
      {
        name: `${kind}: a higher position is imported, or signed by the other signer`,
        begins: "rows",
        requests: [request(0, kind, "X", 1), request(1, kind, "Z", 2)],
        imported: { kind, bytes: "Y", level: 3, round: 0 },
      },
    ]),
  ]);
