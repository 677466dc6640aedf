import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import { messageOf, reasonOf, StartError } from "../errors.ts";
import { Repetition } from "../repetition.ts";

/** A certificate chain and its private key, in PEM. */
export interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Paths of the two. */
export type CertificateFiles = Readonly<Record<keyof CertificatePair, string>>;

/** How often the files are looked at, in milliseconds: a certificate is renewed weeks before it ends. */
const INTERVAL = 60_000;

/** The setting that names a port's two files. */
export type CertificateSetting = "listen.tls" | "metrics.tls";

/**
 * A port's certificate, from files that something else renews. New files are taken up while the signer runs: they
 * are looked at once a minute, and whenever somebody asks for it (SIGHUP). Files that cannot be used change nothing but
 * `problem`: connections go on with the pair before.
 */
export class TlsCertificate {
  readonly #files: CertificateFiles;
  readonly #log: Logger;
  readonly #interval: number;
  readonly #setting: CertificateSetting;
  #pair: CertificatePair;
  #seen: string;
  #refusal: string | undefined;
  #use: (pair: CertificatePair) => void = () => undefined;
  readonly #following = new Repetition();

  private constructor(
    files: CertificateFiles,
    pair: CertificatePair,
    log: Logger,
    interval: number,
    setting: CertificateSetting,
  ) {
    this.#files = files;
    this.#pair = pair;
    this.#seen = hashOf(pair);
    this.#log = log;
    this.#interval = interval;
    this.#setting = setting;
  }

  /**
   * Reads the files.
   * @param files paths of the setting
   * @throws StartError that says which file cannot be read, or that they are no certificate and its key
   */
  static async open(
    files: CertificateFiles,
    log: Logger,
    interval = INTERVAL,
    setting: CertificateSetting = "listen.tls",
  ): Promise<TlsCertificate> {
    try {
      const pair = await read(files, setting);
      check(pair, setting);
      return new TlsCertificate(files, pair, log, interval, setting);
    } catch (error) {
      throw new StartError("unusable", messageOf(error), { cause: error });
    }
  }

  get pair(): CertificatePair {
    return this.#pair;
  }

  /** When the certificate in use ends. */
  get expiresAt(): Date {
    return new X509Certificate(this.#pair.cert).validToDate;
  }

  /** What an operator has to mend: newer files that cannot be used, or a certificate that has ended; undefined where nothing is. */
  get problem(): string | undefined {
    if (this.#refusal !== undefined) return `${this.#refusal} The certificate before is in use.`;
    if (this.expiresAt.getTime() > Date.now()) return undefined;
    return `The certificate of ${this.#setting}.cert ended at ${this.expiresAt.toISOString()}: clients refuse it. Renew it.`;
  }

  /** Looks at the files from now on. @param use takes each pair that is renewed */
  follow(use: (pair: CertificatePair) => void): void {
    this.#use = use;
    this.#following.start(
      "pause",
      () => this.look(),
      () => this.#interval,
    );
  }

  /** Looks no more. */
  stop(): void {
    void this.#following.stop();
  }

  /** @throws Error for a pair that has ended, as one from a backup has, while the one in use has not */
  #requireLife({ cert }: CertificatePair): void {
    const { validToDate } = new X509Certificate(cert);
    const now = Date.now();
    if (validToDate.getTime() > now || this.expiresAt.getTime() <= now) return;
    throw new Error(`The new certificate of ${this.#setting}.cert ended at ${validToDate.toISOString()}.`);
  }

  /** Looks at the files now, and takes them up where they are others. Never rejects. */
  async look(): Promise<void> {
    let seen = "";
    try {
      const pair = await read(this.#files, this.#setting);
      seen = hashOf(pair);
      if (seen === this.#seen && this.#refusal === undefined) return;
      check(pair, this.#setting);
      this.#requireLife(pair);
      const isNew = hashOf(this.#pair) !== seen;
      this.#pair = pair;
      this.#refusal = undefined;
      if (!isNew) return;
      this.#use(pair);
      this.#log.info({ until: this.expiresAt.toISOString() }, "a renewed certificate is in use");
    } catch (error) {
      const reason = messageOf(error);
      // Once for each reason: one that lasts is in /status.
      if (reason !== this.#refusal) this.#log.error(`${reason} The certificate before is in use.`);
      this.#refusal = reason;
    } finally {
      this.#seen = seen;
    }
  }
}

/** Says that a pair cannot be used. OpenSSL's words tell what it expected, never what it found. */
export function unusablePair(error: unknown, setting: CertificateSetting = "listen.tls"): string {
  return `${setting}.cert and ${setting}.key are no certificate and its key in PEM (${messageOf(error)}).`;
}

/** @throws Error that says which file cannot be read, in a sentence */
async function read(files: CertificateFiles, setting: CertificateSetting): Promise<CertificatePair> {
  const one = (name: keyof CertificatePair) =>
    readFile(files[name]).catch((error: Error) => {
      throw new Error(`${setting}.${name} cannot be read: ${files[name]}: ${reasonOf(error)}.`, { cause: error });
    });
  const [cert, key] = await Promise.all([one("cert"), one("key")]);
  return { cert, key };
}

/** @throws Error in a sentence, for what is no certificate with its key: while two files are renewed, they may not belong together */
function check(pair: CertificatePair, setting: CertificateSetting): void {
  try {
    createSecureContext(pair);
    if (!new X509Certificate(pair.cert).validToDate.getTime()) throw new Error("it has no end");
  } catch (error) {
    throw new Error(unusablePair(error, setting), { cause: error });
  }
}

function hashOf({ cert, key }: CertificatePair): string {
  return createHash("sha256").update(cert).update(key).digest("hex");
}
