import { randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { HalfMade } from "./arm.ts";
import { type Cloud, kindOf } from "./cloud.ts";
import { FUNCTIONS } from "./functions.ts";
import { Killed } from "./kills.ts";
import { OneSubnetAtATime } from "./one-subnet-at-a-time.ts";
import type { Properties } from "./properties.ts";
import type { Resource } from "./subscription.ts";

/** A provider as Pulumi's engine attaches to it: `PULUMI_DEBUG_PROVIDERS=NAME:PORT`. */
export interface Provider {
  readonly name: string;
  readonly port: number;
  close(): void;
}

/** What the engine asks of a provider, without gRPC. */
interface Behaviour {
  /** Inputs whose change replaces the resource. */
  replaces(type: string): readonly string[];
  /** Completes the inputs of a resource, new ones from a seed that stays the same from preview to update. */
  check(type: string, inputs: Properties, before: Properties, seed: Uint8Array): Properties;
  create(
    type: string,
    name: string,
    inputs: Properties,
    patience: number | undefined,
  ): Awaitable<{ readonly id: string; readonly outputs: Properties }>;
  /** @param patience how many seconds the program gives it; undefined where it does not say */
  update(
    type: string,
    name: string,
    id: string,
    inputs: Properties,
    patience: number | undefined,
  ): Awaitable<{ readonly outputs: Properties }>;
  read(
    type: string,
    name: string,
    id: string,
  ): { readonly inputs: Properties; readonly outputs: Properties } | undefined;
  delete(type: string, name: string, id: string): void;
  /** Answers a function of the provider. */
  invoke?(token: string, args: Properties): Properties;
}

type Awaitable<T> = T | Promise<T>;

/** Serves a fake Azure as the provider azure-native. */
export function serveAzure(cloud: Cloud, version: string): Promise<Provider> {
  const subnets = new OneSubnetAtATime();
  return serve("azure-native", version, {
    replaces: (type) => kindOf(type).replaces,
    check: (type, inputs, before, seed) => {
      const autoname = kindOf(type).autoname;
      if (autoname === undefined || inputs[autoname.key] !== undefined) return inputs;
      return { ...inputs, [autoname.key]: before[autoname.key] ?? cloud.guid(Buffer.from(seed).toString("hex")) };
    },
    create: (type, name, inputs, patience) =>
      subnets.join(type, inputs, () => cloud.create(type, name, inputs, patience)),
    update: (type, name, id, inputs, patience) =>
      subnets.join(type, inputs, (): Resource => cloud.update(type, name, id, inputs, patience)),
    read: (type, name, id) => cloud.read(type, name, id),
    delete: (type, name, id) => cloud.delete(type, name, id),
    invoke: (token, args) => {
      const answer = FUNCTIONS[token];
      if (answer === undefined) throw new Error(`the fake Azure knows no ${token}`);
      return answer(args, cloud);
    },
  });
}

/** Serves RandomId of the provider random: made once, kept in the stack's state. */
export function serveRandom(version: string): Promise<Provider> {
  return serve("random", version, {
    replaces: () => ["byteLength", "keepers", "prefix"],
    check: (_type, inputs) => inputs,
    create: (_type, _name, inputs) => {
      const bytes = randomBytes(Number(inputs.byteLength));
      return { id: bytes.toString("base64url"), outputs: { ...inputs, ...forms(bytes) } };
    },
    update: () => {
      throw new Error("a RandomId is never updated");
    },
    read: (_type, _name, id) => {
      const bytes = Buffer.from(id, "base64url");
      const inputs = { byteLength: bytes.length };
      return { inputs, outputs: { ...inputs, ...forms(bytes) } };
    },
    delete: () => {},
  });
}

/** The random bytes in each form that RandomId gives; its id is one of them. */
function forms(bytes: Buffer): Properties {
  const hex = bytes.toString("hex");
  return {
    hex,
    b64Url: bytes.toString("base64url"),
    b64Std: bytes.toString("base64"),
    dec: BigInt(`0x${hex}`).toString(),
  };
}

async function serve(name: string, version: string, behaviour: Behaviour): Promise<Provider> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(ResourceProviderService, methods(name, version, behaviour));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { name, port, close: () => server.forceShutdown() };
}

/** The calls of one `up`, in the order in which the engine makes them (provider.proto). */
function methods(name: string, version: string, behaviour: Behaviour): grpc.UntypedServiceImplementation {
  return {
    handshake: answer(() => {
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptResources(true);
      response.setAcceptOutputs(false);
      return response;
    }),
    attach: answer(() => new empty.Empty()),
    getPluginInfo: answer(() => {
      const response = new plugin.PluginInfo();
      response.setVersion(version);
      return response;
    }),
    parameterize: answer((request: InstanceType<typeof pb.ParameterizeRequest>) => {
      const text = Buffer.from(request.getValue()?.getValue_asU8() ?? []).toString();
      const { module, version: api } = JSON.parse(Buffer.from(text, "base64").toString());
      const response = new pb.ParameterizeResponse();
      response.setName(`${name}_${module}_${api}`);
      response.setVersion(version);
      return response;
    }),
    checkConfig: answer((request: InstanceType<typeof pb.CheckRequest>) => checked(plain(request.getNews()))),
    diffConfig: answer(() => new pb.DiffResponse()),
    configure: answer(() => {
      const response = new pb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setSupportspreview(true);
      return response;
    }),
    check: answer((request: InstanceType<typeof pb.CheckRequest>) => {
      const { type } = parse(request.getUrn());
      const seed = request.getRandomseed_asU8();
      return checked(behaviour.check(type, plain(request.getNews()), plain(request.getOlds()), seed));
    }),
    // Where nothing is replaced the answer says nothing, and the engine compares the inputs itself.
    diff: answer((request: InstanceType<typeof pb.DiffRequest>) => {
      const before = plain(request.getOldInputs());
      const after = plain(request.getNews());
      const replaced = behaviour
        .replaces(parse(request.getUrn()).type)
        .filter((key) => comparable(before[key]) !== comparable(after[key]));
      const response = new pb.DiffResponse();
      if (replaced.length > 0) {
        response.setChanges(pb.DiffResponse.DiffChanges.DIFF_SOME);
        response.setReplacesList(replaced);
        response.setDiffsList(replaced);
        response.setDeletebeforereplace(true);
      }
      return response;
    }),
    create: answer(async (request: InstanceType<typeof pb.CreateRequest>) => {
      const { type, name } = parse(request.getUrn());
      const inputs = plain(request.getProperties());
      const response = new pb.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(wire(inputs));
      } else {
        const { id, outputs } = await behaviour.create(type, name, inputs, request.getTimeout() || undefined);
        response.setId(id);
        response.setProperties(wire(outputs));
      }
      return response;
    }),
    update: answer(async (request: InstanceType<typeof pb.UpdateRequest>) => {
      const { type, name } = parse(request.getUrn());
      const response = new pb.UpdateResponse();
      if (request.getPreview()) {
        // The real provider keeps no more of the old outputs than these; the rest is unknown until the update is done.
        const before = plain(request.getOlds());
        response.setProperties(wire({ name: before.name, location: before.location }));
      } else {
        const patience = request.getTimeout() || undefined;
        const { outputs } = await behaviour.update(type, name, request.getId(), plain(request.getNews()), patience);
        response.setProperties(wire(outputs));
      }
      return response;
    }),
    read: answer((request: InstanceType<typeof pb.ReadRequest>) => {
      const { type, name } = parse(request.getUrn());
      const found = behaviour.read(type, name, request.getId());
      const response = new pb.ReadResponse();
      if (found === undefined) return response; // no id: it is gone
      response.setId(request.getId());
      response.setInputs(wire(found.inputs));
      response.setProperties(wire(found.outputs));
      return response;
    }),
    delete: answer((request: InstanceType<typeof pb.DeleteRequest>) => {
      const { type, name } = parse(request.getUrn());
      behaviour.delete(type, name, request.getId());
      return new empty.Empty();
    }),
    invoke: answer((request: InstanceType<typeof pb.InvokeRequest>) => {
      const response = new pb.InvokeResponse();
      response.setReturn(wire(behaviour.invoke?.(request.getTok(), plain(request.getArgs())) ?? {}));
      return response;
    }),
    cancel: answer(() => new empty.Empty()),
  };
}

function answer<Request, Response>(act: (request: Request) => Awaitable<Response>) {
  return async (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>) => {
    try {
      callback(null, await act(call.request));
    } catch (error) {
      if (error instanceof Killed) return; // nobody waits for it
      const details = error instanceof Error ? error.message : String(error);
      const metadata = error instanceof HalfMade ? partial(error) : new grpc.Metadata();
      callback({ code: grpc.status.UNKNOWN, details, metadata });
    }
  };
}

/** Tells of what there is although the request failed: Pulumi remembers it, and sends it again (provider.proto). */
function partial({ message, id, inputs, outputs }: HalfMade): grpc.Metadata {
  const failed = new pb.ErrorResourceInitFailed();
  failed.setId(id);
  failed.setInputs(wire(inputs));
  failed.setProperties(wire(outputs));
  failed.setReasonsList([message]);
  const details = new any.Any();
  details.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statuses.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(details);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function checked(inputs: Properties) {
  const response = new pb.CheckResponse();
  response.setInputs(wire(inputs));
  return response;
}

/** A resource's URN holds its own type after those of its parents. */
function parse(urn: string): { type: string; name: string } {
  const parts = urn.split("::");
  const type = (parts[2] ?? "").split("$").at(-1) ?? "";
  // A package for one API version has the same resources under a name of its own (provider_parameterize.go).
  return { type: type.replace(/^azure-native_\w+_v\d+:/, "azure-native:"), name: parts.slice(3).join("::") };
}

/** An asset is what its hash says, wherever its file is. */
function comparable(value: unknown): string | undefined {
  return JSON.stringify(typeof value === "object" && value !== null && "hash" in value ? value.hash : value);
}

function plain(message: { toJavaScript(): unknown } | undefined): Properties {
  return (message?.toJavaScript() ?? {}) as Properties;
}

/** `undefined` has no form on the wire. */
function wire(properties: Properties) {
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));
}
