import type { Operation } from "./operation.ts";
import { PayloadError } from "./reader.ts";
export function parseOperations(_payload: Uint8Array): { branch: string; operations: readonly Operation[] } {
  throw new PayloadError(0, "operations are not parsed yet");
}
