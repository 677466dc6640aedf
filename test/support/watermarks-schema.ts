import { z } from "zod";
import { interchangeSchema } from "../../signer/watermark/interchange.ts";

/** docs/reference/watermarks.schema.json, made from the schema itself: node test/support/watermarks-schema.ts > … */
process.stdout.write(`${JSON.stringify(z.toJSONSchema(interchangeSchema), null, 2)}\n`);
