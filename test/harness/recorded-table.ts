import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { CertificateAuthority } from "../emulators/key-vault/certificates.ts";

/** A write to a table, as it comes over the wire. */
export interface TableWrite {
  readonly method: string;
  readonly path: string;
  /** What tells the service how to read the body, and over which version of the row it may be written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const KEPT = ["content-type", "dataserviceversion", "if-match", "prefer", "x-http-method"];

/**
 * What somebody writes to a table: a service that takes every write, keeps nothing, and has no row.
 * @param work is given the endpoint
 */
export async function recordedTable(work: (endpoint: string) => Promise<void>): Promise<readonly TableWrite[]> {
  const authority = new CertificateAuthority();
  const certificate = authority.issue(["127.0.0.1"]);
  setDefaultCACertificates([...getCACertificates("default"), authority.certificate]);
  authority.close();
  const writes: TableWrite[] = [];
  const server = createServer(certificate, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const headers = Object.fromEntries(
      KEPT.flatMap((name) => (request.headers[name] ? [[name, `${request.headers[name]}`]] : [])),
    );
    writes.push({ method: request.method ?? "", path: request.url ?? "", headers, body: JSON.parse(body) });
    response.writeHead(204, { etag: `W/"datetime'${writes.length}'"` }).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  await work(`https://127.0.0.1:${(server.address() as AddressInfo).port}/devstoreaccount1`);
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  return writes;
}
