import { isAbsolute } from "node:path";
import { reasonOf } from "../errors.ts";

/**
 * The operators' socket as both of its ends name it.
 * @module
 */

/** Names a file: Node.js takes `9583` for a TCP port, and would listen there on every address of the computer. */
export function fileOfSocket(path: string): string {
  return isAbsolute(path) ? path : `./${path}`;
}

/** Tells whether the system has no room for a socket's path (unix(7), sun_path). */
export function isTooLong(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EINVAL";
}

/** Words why a socket cannot be opened or reached. */
export function faultOfSocket(error: unknown): string {
  return isTooLong(error) ? "its path is too long for a socket, which has 107 bytes at most" : reasonOf(error);
}
