import type { Properties } from "./properties.ts";

/** What Azure Resource Manager answers when it refuses, in the words that azure-native prints. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(`Status=${status} Code="${code}" Message="${message}"`);
    this.status = status;
    this.code = code;
  }
}

/** A request that Azure had accepted, and that failed then: what it was to make is there, in the state Failed. */
export class HalfMade extends Error {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
  constructor(error: ArmError, { id, inputs, outputs }: Pick<HalfMade, "id" | "inputs" | "outputs">) {
    super(error.message);
    this.id = id;
    this.inputs = inputs;
    this.outputs = outputs;
  }
}

export function badRequest(code: string, message: string): ArmError {
  return new ArmError(400, code, message);
}

export function conflict(code: string, message: string): ArmError {
  return new ArmError(409, code, message);
}

/** An address or CIDR as numbers; undefined where it is none. */
export function block(cidr: string): { first: number; last: number; prefix: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(cidr);
  if (match === null) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = Number(match[5] ?? 32);
  if (octets.some((octet) => octet > 255) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(octets.reduce((sum, octet) => sum * 256 + octet, 0) / size) * size;
  return { first, last: first + size - 1, prefix };
}

/** RFC 1918, which no firewall of a public service takes. */
export function isPrivate(cidr: string): boolean {
  const inner = block(cidr);
  return ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((range) => {
    const outer = block(range);
    return inner !== undefined && outer !== undefined && inner.first >= outer.first && inner.last <= outer.last;
  });
}
