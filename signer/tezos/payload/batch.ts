import { managerKind, readManagerOperation } from "./manager-operation.ts";
import type { ManagerOperation, Operation } from "./operation.ts";
import { readHash } from "./operation-field.ts";
import { PayloadError, Reader } from "./reader.ts";
import { readSingleOperation } from "./standalone-operation.ts";

/**
 * Parses 0x03: magic byte, branch, and one operation, or a batch of manager operations, up to the last byte.
 * @throws PayloadError also where the protocol refuses the batch (operation_repr.ml of_list_internal,
 * validate.ml check_consistency)
 */
export function parseOperations(payload: Uint8Array): { branch: string; operations: readonly Operation[] } {
  const reader = new Reader(payload, 1);
  const branch = readHash(reader, "B", "branch");
  const tag = reader.uint8("operation tag");
  const kind = managerKind(tag);
  if (kind === undefined) {
    const operation = readSingleOperation(reader, tag);
    reader.end(`the ${operation.kind}, which stands alone,`);
    return { branch, operations: [operation] };
  }
  let last = readManagerOperation(reader, kind);
  const operations = [last];
  while (reader.remaining > 0) {
    last = readFollowing(reader, last);
    operations.push(last);
  }
  return { branch, operations };
}

/** Reads the next operation of a batch: a manager operation of the same source with the next counter, and no reveal. */
function readFollowing(reader: Reader, last: ManagerOperation): ManagerOperation {
  const at = reader.offset;
  const tag = reader.uint8("operation tag");
  const kind = managerKind(tag);
  if (kind === undefined) {
    throw new PayloadError(at, `tag ${tag} is no manager operation, so it cannot stand in a batch`);
  }
  const operation = readManagerOperation(reader, kind);
  if (operation.kind === "reveal") throw new PayloadError(at, "a reveal can only be the first of a batch");
  if (operation.source !== last.source) throw new PayloadError(at, "the operations of a batch have different sources");
  if (operation.counter !== last.counter + 1n) {
    throw new PayloadError(at, `counter ${operation.counter} does not follow ${last.counter} of the operation before`);
  }
  return operation;
}
