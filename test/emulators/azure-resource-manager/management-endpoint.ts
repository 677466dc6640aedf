/**
 * Leads what this process asks of https://management.azure.com to the fake Azure that gave out the token. For a process
 * of its own: `NODE_OPTIONS=--import=…/management-endpoint.ts`.
 * @module
 */
const REAL = "https://management.azure.com/";
const real = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  const token = new Headers(init?.headers).get("authorization") ?? "";
  const port = /^Bearer fake-azure-(\d+)(?:-renewed)*$/.exec(token)?.[1];
  if (!url.startsWith(REAL) || port === undefined) return real(input, init);
  return real(`http://127.0.0.1:${port}/${url.slice(REAL.length)}`, init);
};
