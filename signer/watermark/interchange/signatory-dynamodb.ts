import { z } from "zod";
import { digits, kindOf, requireWholeScan } from "./foreign.ts";
import { checkForm, type MarkRecord, parseJson } from "./format.ts";
import { signatoryMark } from "./signatory-files.ts";

const text = z.object({ S: z.string() });
const number = z.object({ N: digits });
const table = z.looseObject({
  Items: z.array(
    z.looseObject({
      idx: text,
      request: text,
      lvl: number,
      round: number,
      digest: z.looseObject({ S: z.string().optional(), B: z.string().optional() }).optional(),
    }),
  ),
});

/**
 * Reads Signatory's DynamoDB table (pkg/signatory/watermark/aws.go) as `aws dynamodb scan --table-name watermark`
 * prints it.
 */
export function readSignatoryDynamo(source: string): MarkRecord {
  const scan = checkForm(table, parseJson(source));
  requireWholeScan(scan);
  const marks = scan.Items.map(({ idx, request, lvl, round, digest }) => {
    const [chainId = "", address = ""] = idx.S.split("/");
    const hash = digest?.B === undefined ? digest?.S : Buffer.from(digest.B, "base64").toString("hex");
    return signatoryMark(chainId, address, kindOf(request.S), { level: lvl.N, round: round.N, hash });
  });
  return { marks };
}
