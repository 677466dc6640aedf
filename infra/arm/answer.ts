/**
 * Reads what Azure's resource manager answers. Pure.
 * @module
 */
import type { z } from "zod";

/**
 * Reads an answer of Azure's; what it has beside that is passed over.
 * @param where what was asked, for the message
 * @throws Error for an answer of another form
 */
export function read<S extends z.ZodType>(schema: S, answer: unknown, where: string): z.output<S> {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return data;
  const [issue] = error.issues;
  throw new Error(`${where} has another form than its documents say (${issue?.path.join(".") || "all of it"})`);
}
