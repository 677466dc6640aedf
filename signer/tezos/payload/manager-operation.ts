import { type Micheline, readScript, UNIT } from "./micheline.ts";
import {
  type ManagerFields,
  type ManagerHeader,
  type ManagerKind,
  type ManagerOperation,
  OPERATION_TAGS,
  type TransactionFields,
} from "./operation.ts";
import {
  readContract,
  readEntrypoint,
  readEntrypointName,
  readHash,
  readHex,
  readMutez,
  readOption,
  readOriginated,
  readPublicKey,
  readPublicKeyHash,
} from "./operation-field.ts";
import { PayloadError, type Reader } from "./reader.ts";
import {
  readAddMessages,
  readExecuteOutboxMessage,
  readOriginate,
  readPublish,
  readRefute,
  readRollup,
  readTimeout,
} from "./smart-rollup.ts";

/** Transactions that the protocol applies under another name; on the wire they are transactions like all. */
const PSEUDO_OPERATIONS = ["stake", "unstake", "finalize_unstake", "set_delegate_parameters"] as const;
type PseudoOperation = (typeof PSEUDO_OPERATIONS)[number];

/** One reader a kind, for what follows the header (operation_repr.ml, module Manager_operations). */
const READERS: {
  readonly [Kind in Exclude<ManagerKind, PseudoOperation>]: (reader: Reader) => ManagerFields[Kind];
} = {
  reveal: readKeyWithProof,
  transaction: readTransaction,
  origination: (reader) => ({
    balance: readMutez(reader, "balance"),
    delegate: readOption(reader, "delegate", readPublicKeyHash),
    code: readScript(reader, "code"),
    storage: readScript(reader, "storage"),
  }),
  delegation: (reader) => ({ delegate: readOption(reader, "delegate", readPublicKeyHash) }),
  register_global_constant: (reader) => ({ value: readScript(reader, "value") }),
  set_deposits_limit: (reader) => ({ limit: readOption(reader, "limit", readMutez) }),
  increase_paid_storage: (reader) => ({
    bytes: reader.integer("amount"),
    destination: readOriginated(reader, "destination"),
  }),
  update_consensus_key: readKeyWithProof,
  update_companion_key: readKeyWithProof,
  transfer_ticket: (reader) => ({
    contents: readScript(reader, "ticket_contents"),
    type: readScript(reader, "ticket_ty"),
    ticketer: readContract(reader, "ticket_ticketer"),
    amount: readTicketAmount(reader),
    destination: readContract(reader, "destination"),
    entrypoint: readEntrypointName(reader),
  }),
  smart_rollup_originate: readOriginate,
  smart_rollup_add_messages: readAddMessages,
  smart_rollup_cement: (reader) => ({ rollup: readRollup(reader) }),
  smart_rollup_publish: readPublish,
  smart_rollup_refute: readRefute,
  smart_rollup_timeout: readTimeout,
  smart_rollup_execute_outbox_message: readExecuteOutboxMessage,
  smart_rollup_recover_bond: (reader) => ({ rollup: readRollup(reader), staker: readPublicKeyHash(reader, "staker") }),
  dal_publish_commitment: (reader) => ({
    slotIndex: reader.uint8("slot_index"),
    commitment: readHash(reader, "sh", "commitment"),
    proof: readHex(reader, 96, "commitment_proof"),
  }),
};

type ManagerReader = keyof typeof READERS;

const KINDS = new Map((Object.keys(READERS) as ManagerReader[]).map((kind) => [OPERATION_TAGS[kind], kind] as const));

/** Returns the manager operation of a tag, if it is one's: only these may stand in a batch. */
export function managerKind(tag: number): ManagerReader | undefined {
  return KINDS.get(tag);
}

/** Reads a manager operation from behind its tag. */
export function readManagerOperation(reader: Reader, kind: ManagerReader): ManagerOperation {
  const header = readHeader(reader);
  const fields = READERS[kind](reader);
  const named = kind === "transaction" ? nameOf(header, fields as TransactionFields) : kind;
  return { kind: named, tag: OPERATION_TAGS[kind], ...header, ...fields } as ManagerOperation;
}

/** Operation_repr manager_encoding; counter and limits are at most 10 bytes long. */
function readHeader(reader: Reader): ManagerHeader {
  return {
    source: readPublicKeyHash(reader, "source"),
    fee: readMutez(reader, "fee"),
    counter: reader.natural("counter", 10),
    gasLimit: reader.natural("gas_limit", 10),
    storageLimit: reader.natural("storage_limit", 10),
  };
}

/** A key with the proof that its owner has it, which BLS keys need: 96 bytes with their length before them. */
function readKeyWithProof(reader: Reader): ManagerFields["reveal"] {
  return {
    publicKey: readPublicKey(reader, "public_key"),
    // Where it is missing the client is an older one, which its user cannot know.
    proof: readOption(reader, "proof, which clients forge since protocol 023,", (from) => {
      const part = from.part("proof");
      const proof = readHash(part, "BLsig", "proof");
      part.end("the proof");
      return proof;
    }),
  };
}

function readTransaction(reader: Reader): TransactionFields {
  const amount = readMutez(reader, "amount");
  const destination = readContract(reader, "destination");
  const call = readOption(reader, "parameters", readCall);
  return { amount, destination, entrypoint: call?.entrypoint ?? "default", parameters: call?.parameters ?? UNIT };
}

function readCall(reader: Reader, name: string): { entrypoint: string; parameters: Micheline } {
  return { entrypoint: readEntrypoint(reader), parameters: readScript(reader, name) };
}

/**
 * The kind that the protocol makes of a transaction (apply.ml, Transaction to Implicit): one of the four entrypoints,
 * by number or by name, from an account to itself. The protocol refuses the first, second and fourth to anyone else,
 * and finalizes for anyone; here that one stays a transaction, since it is not about the key's own stake.
 */
function nameOf({ source }: ManagerHeader, { destination, entrypoint }: TransactionFields): ManagerKind {
  const pseudo = PSEUDO_OPERATIONS.find((name) => name === entrypoint);
  return pseudo !== undefined && destination === source ? pseudo : "transaction";
}

function readTicketAmount(reader: Reader): bigint {
  const at = reader.offset;
  const amount = reader.natural("ticket_amount");
  if (amount === 0n) throw new PayloadError(at, "ticket_amount is zero");
  return amount;
}
