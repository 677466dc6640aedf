import { execFileSync } from "node:child_process";

/** Has OpenSSL make a certificate for 127.0.0.1, and its key, in these files. @param days that it lasts */
export function makeCertificate({ cert, key }: { readonly cert: string; readonly key: string }, days = 1): void {
  const subject = ["-subj", "/CN=signer", "-addext", "subjectAltName=IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", `${days}`];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
}
