import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM texts for a TLS server. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority made by openssl for one run; trust `certificate` to trust what it issues. */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly #directory: string;

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), "emulated-ca-"));
    this.#openssl(
      "req",
      "-x509",
      ...NEW_KEY,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=emulated authority",
      "-days",
      "2",
    );
    this.certificate = this.#read("ca.pem");
  }

  /** @param names host names and addresses for the certificate's subjectAltName */
  issue(names: readonly string[]): ServerCertificate {
    const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`).join(",");
    writeFileSync(join(this.#directory, "extensions"), `subjectAltName=${alternatives}\n`);
    this.#openssl("req", ...NEW_KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", `/CN=${names[0]}`);
    this.#openssl(
      ..."x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem".split(
        " ",
      ),
    );
    return { key: this.#read("server.key"), cert: this.#read("server.pem") };
  }

  /** Removes the files; what was issued stays good. */
  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #read(name: string): string {
    return readFileSync(join(this.#directory, name), "utf8");
  }

  #openssl(...parameters: string[]): void {
    execFileSync("openssl", parameters, { cwd: this.#directory, stdio: "pipe" });
  }
}

const NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" ");
