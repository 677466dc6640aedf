/**
 * Stands in for `pulumi-language-nodejs` where only the `pulumi` program could be built: starts the SDK's own
 * `@pulumi/pulumi/cmd/run` with the arguments and variables that the real host gives it (its main.go, execRuntime).
 * Pulumi runs it by that name with the engine's address as the last argument, and reads its port from stdout.
 * @module
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

type RunRequest = InstanceType<typeof pb.RunRequest>;

/** A program that failed after Pulumi has said why. */
const ALREADY_SAID = 32;

let engine = process.argv.at(-1) ?? "";

// A Pulumi that is killed ends nobody: the real host asks the engine's health, and ends with it. Pulumi starts it as the
// leader of a process group, so the program that it runs goes with it.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(-process.pid, "SIGKILL");
}, 500).unref();

async function run(request: RunRequest): Promise<InstanceType<typeof pb.RunResponse>> {
  const info = request.getInfo();
  const folder = info?.getProgramDirectory() ?? request.getPwd();
  const args = [
    createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run"),
    ...["--monitor", request.getMonitorAddress(), "--engine", engine],
    ...["--project", request.getProject(), "--stack", request.getStack(), "--organization", request.getOrganization()],
    ...["--root-directory", info?.getRootDirectory() ?? folder, "--pwd", folder],
    ...["--parallel", String(request.getParallel())],
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info?.getEntryPoint() ?? ".",
  ];
  const config: Record<string, string> = {};
  request.getConfigMap().forEach((value: string, key: string) => {
    config[key] = value;
  });
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
  const child = spawn("node", args, { cwd: folder, env, stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  const response = new pb.RunResponse();
  if (code === ALREADY_SAID) response.setBail(true);
  else if (code !== 0) response.setError(`Program exited with non-zero exit code: ${code}`);
  return response;
}

function answer<Request, Response>(act: (request: Request) => Response | Promise<Response>) {
  return async (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>) => {
    callback(null, await act(call.request));
  };
}

const server = new grpc.Server();
server.addService(LanguageRuntimeService, {
  handshake: answer((request: InstanceType<typeof pb.LanguageHandshakeRequest>) => {
    engine = request.getEngineAddress();
    return new pb.LanguageHandshakeResponse();
  }),
  getPluginInfo: answer(() => {
    const info = new plugin.PluginInfo();
    info.setVersion("3.0.0");
    return info;
  }),
  getRequiredPackages: answer(() => new pb.GetRequiredPackagesResponse()),
  getRequiredPlugins: answer(() => new pb.GetRequiredPluginsResponse()),
  getProgramDependencies: answer(() => new pb.GetProgramDependenciesResponse()),
  run: answer(run),
  cancel: answer(() => new empty.Empty()),
} as unknown as grpc.UntypedServiceImplementation);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(String(port));
});
