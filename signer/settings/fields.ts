import { isIP } from "node:net";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import { parseAddressRange } from "../network/address-range.ts";
import { readServiceUrl, type ServiceUrlForm } from "../network/url.ts";
import { decode } from "../tezos/crypto/base58.ts";

/**
 * Schemas of single values, of which schema.ts and observation-schema.ts make the settings.
 * @module
 */

export const port = z.int().min(0).max(65_535);
export const host = z
  .string()
  .refine((text) => isIP(text) !== 0, { error: "must be an IP address to listen on, such as 0.0.0.0" });
export const file = z.string().min(1);

/** A computer's name as a request's Host has it, without a port: labels of letters, digits and hyphens (RFC 1123 2.1). */
export const hostName = z.string().regex(/^(?!-)[0-9A-Za-z-]{1,63}(\.[0-9A-Za-z-]{1,63})*$/, {
  error: "must be a computer's name without scheme and port, such as signer.example.org",
});

/** Reads a text in base58check with one of these prefixes. */
export function base58(...prefixes: Parameters<typeof decode>[1][]) {
  return z.string().superRefine((text, context) => {
    try {
      decode(text, ...prefixes);
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  });
}

/** Reads the URL of a service. @param what it is, with an example */
export function serviceUrl(what: string, form: ServiceUrlForm) {
  return z.string().superRefine((text, context) => {
    const read = readServiceUrl(text, form);
    if ("fault" in read) context.addIssue({ code: "custom", message: `must be ${what}; ${read.fault}` });
  });
}

/** An IP address or a range of `allowedAddresses`. */
export const addressRangeSchema = z.string().refine((text) => parseAddressRange(text) !== undefined, {
  error: "must be an IP address or range, such as 203.0.113.7 or 203.0.113.0/28",
});
