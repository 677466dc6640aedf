/**
 * What can go wrong between the signer and its vault: one row a kind. docs/reference/faults.md describes exactly these.
 * `retryable`: whether another try within the same request may help. `standsUntil`: what shows that it is over, where it is
 * a refusal that the next request gets too, until somebody mends something: a `signature` alone, or as well a `look` at the
 * vault that finds the key fit to sign. `remedy`: what the operator does, unless it heals by itself.
 * @module
 */
export const VAULT_FAULTS = {
  connection: {
    retryable: true,
    standsUntil: undefined,
    remedy: "If it lasts, check the vault's address, and the network of this machine.",
  },
  dns: {
    retryable: true,
    standsUntil: undefined,
    remedy: "If it lasts, check the vault's name in the settings, and this machine's resolver.",
  },
  tls: {
    retryable: false,
    standsUntil: undefined,
    remedy: "Check the vault's name in the settings, this machine's clock, and what intercepts TLS.",
  },
  timeout: {
    retryable: true,
    standsUntil: undefined,
    remedy: "If it lasts, look at Azure's status page, and at the network of this machine.",
  },
  throttled: {
    retryable: true,
    standsUntil: undefined,
    remedy: "Find out who else uses this vault: it refuses above 2,000 operations in 10 s.",
  },
  service: { retryable: true, standsUntil: undefined, remedy: "If it lasts, look at Azure's status page." },
  answer: {
    retryable: true,
    standsUntil: undefined,
    remedy: "If it lasts, check the vault's address: something else may answer there.",
  },
  token: {
    retryable: true,
    standsUntil: undefined,
    remedy: "Check that this machine has the managed identity of the settings' clientId.",
  },
  unauthorized: {
    retryable: true,
    standsUntil: "look",
    remedy: "Check that the identity and the vault are of the same tenant.",
  },
  permission: {
    retryable: false,
    standsUntil: "signature",
    remedy: "Give the signer's identity the key permissions get, list and sign on this vault.",
  },
  firewall: {
    retryable: false,
    standsUntil: "look",
    remedy: "Let this machine's address or subnet through the vault's firewall.",
  },
  "key-disabled": {
    retryable: false,
    standsUntil: "look",
    remedy: "Enable the key: az keyvault key set-attributes --id ID --enabled true.",
  },
  "key-unusable": {
    retryable: false,
    standsUntil: "look",
    remedy: "Look at the key's expiry and operations: az keyvault key show --id ID.",
  },
  "key-missing": {
    retryable: false,
    standsUntil: "look",
    remedy: "Recover the key if it was deleted: az keyvault key recover --vault-name VAULT --name NAME.",
  },
  refused: { retryable: false, standsUntil: "signature", remedy: "Report this, with the log line." },
} as const satisfies Record<
  string,
  { retryable: boolean; standsUntil: "look" | "signature" | undefined; remedy: string }
>;

export type VaultFaultKind = keyof typeof VAULT_FAULTS;

/** One failed try, or one failed call, with its cause in words that hold no token and no signature. */
export class VaultFault extends Error {
  override readonly name = "VaultFault";
  readonly kind: VaultFaultKind;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Milliseconds that the service asks to be left alone. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: VaultFaultKind,
    message: string,
    answer: { status?: number; retryAfter?: number | undefined } = {},
  ) {
    super(withoutSecrets(message));
    this.kind = kind;
    this.status = answer.status;
    this.retryAfter = answer.retryAfter;
  }

  /** Whether another try may help. */
  get retryable(): boolean {
    return VAULT_FAULTS[this.kind].retryable;
  }

  /** What shows that this refusal is over; undefined for what is none and heals by itself. */
  get standsUntil(): "look" | "signature" | undefined {
    return VAULT_FAULTS[this.kind].standsUntil;
  }

  /** What the operator does, unless it heals by itself. */
  get remedy(): string {
    return VAULT_FAULTS[this.kind].remedy;
  }

  /** What happened and what to do, in one sentence each. */
  get advice(): string {
    return `${this.message} ${this.remedy}`;
  }
}

/** What the SDK gives for an answer; its own type is not exported. */
export interface VaultAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
  readonly bodyAsText?: string | null;
}

/**
 * Returns the fault of an answer, or undefined for a good one: status 2xx and a JSON object.
 * Codes and inner codes: learn.microsoft.com, Key Vault REST API error codes.
 */
export function faultOfAnswer({ status, headers, bodyAsText }: VaultAnswer): VaultFault | undefined {
  const body = parse(bodyAsText);
  if (status >= 200 && status < 300) {
    if (body !== undefined) return undefined;
    return new VaultFault("answer", `It answered ${status} with a body that is not its own.`, { status });
  }
  const error = (body?.error ?? {}) as { code?: unknown; message?: unknown; innererror?: { code?: unknown } };
  const code = String(error.innererror?.code ?? error.code ?? "no code");
  const said = `${String(error.message ?? "").split(/[\r\n]/)[0]}`.slice(0, 200);
  const message = `It answered ${status} ${code}${said === "" ? "" : ` (${said})`}.`;
  return new VaultFault(kindOf(status, code), message, { status, retryAfter: retryAfter(headers) });
}

function kindOf(status: number, code: string): VaultFaultKind {
  if (status < 400) return "answer"; // a redirection: the vault sends none
  if (status === 401) return "unauthorized";
  if (status === 404) return "key-missing";
  if (status === 429) return "throttled";
  if (status === 408 || status >= 500) return "service";
  if (status !== 403) return "refused";
  if (code === "KeyDisabled") return "key-disabled";
  if (code === "KeyExpired" || code === "KeyNotYetValid") return "key-unusable";
  return code === "ForbiddenByFirewall" || code === "ForbiddenByConnection" ? "firewall" : "permission";
}

/** Codes of node:dns for a name that cannot be had now. */
const DNS = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA"]);
/** Node's and OpenSSL's codes for a certificate or a handshake that another try will not mend. */
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|ERR_OSSL)/;

/** Returns the fault of a try that threw. */
export function faultOfError(error: unknown): VaultFault {
  if (error instanceof VaultFault) return error;
  const { code = "", message = String(error) } = error as { code?: string; message?: string };
  if (DNS.has(code)) return new VaultFault("dns", `Its name could not be resolved (${code}).`);
  if (TLS.test(code)) return new VaultFault("tls", `The TLS handshake failed (${code}: ${message.slice(0, 200)}).`);
  if (code === "PARSE_ERROR") return new VaultFault("answer", `Its answer broke off (${message.slice(0, 200)}).`);
  if (code === "ETIMEDOUT") return new VaultFault("timeout", "The connection could not be made in time (ETIMEDOUT).");
  return new VaultFault("connection", `The connection failed (${code || message.slice(0, 200)}).`);
}

function parse(text: string | null | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9110 10.2.3, seconds only: the service sends no dates. */
function retryAfter(headers: VaultAnswer["headers"]): number | undefined {
  const seconds = headers.get("retry-after");
  return seconds !== undefined && /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/** No answer of the service holds a token; should one ever do, it is not passed on. */
function withoutSecrets(text: string): string {
  return text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[token]");
}
