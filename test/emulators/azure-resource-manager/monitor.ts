import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/resource_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Properties } from "./properties.ts";

type RegisterRequest = InstanceType<typeof pb.RegisterResourceRequest>;

export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Properties;
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean;
}

/** What a program did under Pulumi's language runtime. */
export interface ProgramRun {
  /** 0, or 32 where Pulumi was told what is wrong. */
  readonly code: number | null;
  readonly resources: readonly Registered[];
  readonly outputs: Properties;
  readonly errors: string;
  readonly warnings: string;
}

const WARNING = 2;

/**
 * Runs the program in a folder by `@pulumi/pulumi/cmd/run`, as Pulumi's language host starts it, against a stand-in
 * for the engine that accepts everything. No CLI, no provider.
 * @param config keys of the project, and of others with their namespace
 * @param outputs of a resource beside its inputs, by its name in the program; on a dry run there are none
 * @param answers of functions, by their tokens; others are answered nothing: nothing stands yet
 */
export async function runProgram(
  folder: string,
  config: Readonly<Record<string, string>>,
  options: {
    readonly dryRun: boolean;
    readonly outputs: Readonly<Record<string, Properties>>;
    readonly answers?: Readonly<Record<string, Properties>>;
  },
): Promise<ProgramRun> {
  const resources: Registered[] = [];
  const said = { errors: [] as string[], warnings: [] as string[] };
  let stackOutputs: Properties = {};

  const server = new grpc.Server();
  server.addService(ResourceMonitorService, {
    getDeploymentInfo: answer(() => {
      const info = new pb.DeploymentInfo();
      // 0 is the feature of secrets: a filter for truth would drop it.
      info.setSupportedfeaturesList(Object.values(pb.ResourceMonitorFeature).filter((id) => typeof id === "number"));
      return info;
    }),
    supportsFeature: answer(() => {
      const response = new pb.SupportsFeatureResponse();
      response.setHassupport(true);
      return response;
    }),
    registerPackage: answer(() => {
      const response = new pb.RegisterPackageResponse();
      response.setRef("package");
      return response;
    }),
    invoke: answer((request: InstanceType<typeof pb.ResourceInvokeRequest>) => {
      const response = new pb.ResourceInvokeResponse();
      const told = (options.answers?.[request.getTok()] ?? {}) as Record<string, never>;
      response.setReturn(struct.Struct.fromJavaScript(told));
      return response;
    }),
    registerErrorHook: answer(() => new empty.Empty()),
    registerResourceHook: answer(() => new empty.Empty()),
    registerResource: answer((request: RegisterRequest) => {
      const inputs = (request.getObject()?.toJavaScript() ?? {}) as Properties;
      const name = request.getName();
      resources.push({
        type: request.getType(),
        name,
        inputs,
        protect: request.getProtect() ?? false,
        deleteBeforeReplace: request.getDeletebeforereplace(),
      });
      const response = new pb.RegisterResourceResponse();
      response.setUrn(`urn:pulumi:dev::tezos-signer::${request.getType()}::${name}`);
      if (!options.dryRun && request.getCustom()) response.setId(`/subscriptions/s/${name}`);
      const state = options.dryRun ? inputs : { name, ...inputs, ...options.outputs[name] };
      response.setObject(struct.Struct.fromJavaScript(state as Record<string, never>));
      return response;
    }),
    registerResourceOutputs: answer((request: InstanceType<typeof pb.RegisterResourceOutputsRequest>) => {
      if (request.getUrn().includes("pulumi:pulumi:Stack")) {
        stackOutputs = (request.getOutputs()?.toJavaScript() ?? {}) as Properties;
      }
      return new empty.Empty();
    }),
    signalAndWaitForShutdown: answer(() => new empty.Empty()),
  } as unknown as grpc.UntypedServiceImplementation);
  server.addService(EngineService, {
    log: answer((request: InstanceType<typeof engine.LogRequest>) => {
      if (request.getSeverity() > WARNING) said.errors.push(request.getMessage());
      else if (request.getSeverity() === WARNING) said.warnings.push(request.getMessage());
      return new empty.Empty();
    }),
    getRootResource: answer(() => new engine.GetRootResourceResponse()),
    setRootResource: answer(() => new engine.SetRootResourceResponse()),
  } as unknown as grpc.UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });

  try {
    const code = await start(folder, `127.0.0.1:${port}`, config, options.dryRun);
    return {
      code,
      resources: resources.filter(({ type }) => type !== "pulumi:pulumi:Stack"),
      outputs: stackOutputs,
      errors: said.errors.join("\n"),
      warnings: said.warnings.join("\n"),
    };
  } finally {
    server.forceShutdown();
  }
}

function start(folder: string, address: string, config: Readonly<Record<string, string>>, dryRun: boolean) {
  const args = [
    createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run"),
    ...[
      "--monitor",
      address,
      "--engine",
      address,
      "--project",
      "tezos-signer",
      "--stack",
      "dev",
      "--organization",
      "organization",
    ],
    ...["--root-directory", folder, "--pwd", folder, "--parallel", "16", ...(dryRun ? ["--dry-run"] : []), "."],
  ];
  const keys = Object.entries(config).map(([key, value]) => {
    const name = key.includes(":") ? key : `tezos-signer:${key}`;
    return [name.replace(":", ":config:"), value];
  });
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = {
    ...{ PATH, HOME, NODE_COMPILE_CACHE },
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(keys)),
  };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: "ignore" });
  return new Promise<number | null>((resolve) => child.on("exit", resolve));
}

function answer<Request, Response>(act: (request: Request) => Response) {
  return (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>) => {
    callback(null, act(call.request));
  };
}
