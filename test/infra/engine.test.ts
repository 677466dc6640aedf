import * as grpc from "@grpc/grpc-js";
import { ResourceMonitorClient, ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resource from "@pulumi/pulumi/proto/resource_pb.js";
import { expect } from "chai";
import { grpcClientOptions } from "../emulators/azure-resource-manager/engine.ts";

describe("the tests' engine", () => {
  it("finds an engine on a port that another one had before", async () => {
    await using open = new AsyncDisposableStack();
    const [first, port] = await serve(0);
    const before = open.adopt(connect(port), async (client) => client.close());
    expect(await ask(before)).to.equal(undefined);
    first.forceShutdown();
    // Whoever asks the first one now finds nobody, and that is remembered for its address.
    expect(await ask(before)).to.equal(grpc.status.UNAVAILABLE);
    const [second] = await serve(port);
    open.defer(() => second.forceShutdown());
    const after = open.adopt(connect(port), async (client) => client.close());
    expect(await ask(after)).to.equal(undefined);
  });
});

/** A monitor that knows one question. @returns it, and its port */
async function serve(port: number): Promise<[grpc.Server, number]> {
  const server = new grpc.Server();
  server.addService(ResourceMonitorService, {
    supportsFeature: (_: unknown, answer: grpc.sendUnaryData<unknown>) => {
      answer(null, new resource.SupportsFeatureResponse());
    },
  });
  const credentials = grpc.ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
      if (error === null) resolve([server, bound]);
      else reject(error);
    });
  });
}

function connect(port: number): ResourceMonitorClient {
  return new ResourceMonitorClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), grpcClientOptions);
}

/** @returns the code of the failure, if it failed */
function ask(client: ResourceMonitorClient): Promise<number | undefined> {
  return new Promise((resolve) => {
    client.supportsFeature(new resource.SupportsFeatureRequest(), (error: grpc.ServiceError | null) => {
      resolve(error?.code);
    });
  });
}
