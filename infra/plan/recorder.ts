import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings.js";
import { KINDS } from "../components/kinds.ts";
import { usualType } from "../vault-api.ts";
import { type Plan, type PlannedResource, typeOf } from "./plan.ts";

/**
 * Runs a program against a stand-in for Pulumi's engine and notes every resource that it registers.
 * Nothing is contacted. Pulumi's settings are the process's own: one run at a time.
 * @param program registers resources and returns the stack's outputs
 */
export async function record(stack: string, program: () => Record<string, unknown>): Promise<Plan> {
  const requests: PlannedResource[] = [];
  const mocks = {
    call: ({ token }: pulumi.runtime.MockCallArgs) => ANSWERS[token] ?? {},
    newResource: ({ type, name, inputs, custom }: pulumi.runtime.MockResourceArgs) => ({
      id: custom ? resourceId(type, name) : undefined,
      state: {
        ...inputs,
        ...(custom ? { name: inputs[KINDS[type]?.name ?? ""] ?? name } : {}),
        ...KINDS[type]?.chosen,
      },
    }),
  };
  class Recorder extends MockMonitor {
    override async registerResource(request: Request, callback: Callback) {
      const inputs = (await unwrap(request.getObject()?.toJavaScript() ?? {})) as Record<string, unknown>;
      const parentType = typeOf(request.getParent());
      requests.push({
        type: usualType(request.getType()),
        name: request.getName(),
        parentType,
        inputs,
        options: options(request),
      });
      return super.registerResource(request, callback);
    }
    /** The mocks of the SDK know no hooks. */
    registerErrorHook(_request: unknown, callback: Callback) {
      callback(null, {});
    }
    registerResourceHook(_request: unknown, callback: Callback) {
      callback(null, {});
    }
  }
  setMockOptions(new Recorder(mocks), "tezos-signer", stack);
  const outputs = await settle((await pulumi.runtime.runInPulumiStack(async () => program())) ?? {});
  return { resources: requests.filter(({ type }) => type !== "pulumi:pulumi:Stack"), outputs };
}

type Request = Parameters<MockMonitor["registerResource"]>[0];
type Callback = Parameters<MockMonitor["registerResource"]>[1];

function options(request: Request): PlannedResource["options"] {
  const name = (urn: string) => urn.split("::").at(-1) ?? "";
  return {
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: name(request.getDeletedwith()),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replaceOnChanges: request.getReplaceonchangesList(),
    ignoreChanges: request.getIgnorechangesList(),
    dependencies: request.getDependenciesList().map(name),
    parent: name(request.getParent()),
  };
}

/** What a machine says that has done what it had to: nothing that a plan shows. */
const READY = JSON.stringify({ version: "0", release: "0".repeat(64), keys: [] });

/** What Azure would answer to what the program asks of it. */
const ANSWERS: Readonly<Record<string, object>> = {
  "azure-native:compute:getVirtualMachineRunCommandByVirtualMachine": {
    instanceView: { executionState: "Succeeded", output: READY },
  },
};

/** Ids of Azure's form, since the program reads the subscription from them. */
function resourceId(type: string, name: string): string {
  return `/subscriptions/<subscription>/${type.split(":").slice(1).join("/")}/${name}`;
}

/** Pulumi marks what is no plain JSON by this key (sdk/go/common/resource/sig), and says by its value what it is. */
const MARK = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

/** Takes the mark from assets. This stack has no secrets, and the plan would show them. */
async function unwrap(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(unwrap));
  if (typeof value !== "object" || value === null) return value;
  if (MARK in value) {
    const { [MARK]: kind, ...asset } = value;
    if (kind === ASSET) return asset;
    throw new Error("a secret reached the plan");
  }
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await unwrap(inner)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Waits for every output and for all that was registered on the way. */
async function settle(outputs: Record<string, unknown>): Promise<Record<string, unknown>> {
  const values = await new Promise<Record<string, unknown>>((resolve) => {
    pulumi.output(outputs).apply((known) => resolve(known as Record<string, unknown>));
  });
  await pulumi.runtime.disconnect(false);
  return values;
}
