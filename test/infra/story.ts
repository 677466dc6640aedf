import { expect } from "chai";
import { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../emulators/azure-resource-manager/engine.ts";
import { text } from "../emulators/azure-resource-manager/properties.ts";
import { requires } from "../harness/requires.ts";
import { MACHINE, NO_CLI, PRODUCTION, program, THROW_AWAY } from "./stack.ts";

/** What a story begins with. */
export interface Beginning {
  /** `mainnet` is a production stack, and `dev` one to throw away. */
  readonly name: "dev" | "mainnet";
  /** More of its configuration. */
  readonly config?: Readonly<Record<string, string>>;
  /** The program; absent: the stack's own. */
  readonly program?: () => Promise<Record<string, unknown>>;
  /** More variables for Pulumi. */
  readonly env?: Readonly<Record<string, string>>;
  /** The first test finds nothing but the configuration; absent: a stack that stands. */
  readonly isUnmade?: true;
}

/** A stack on Pulumi's engine whose tests follow on each other. */
export class Story {
  readonly cloud = new Cloud();
  #engine: Engine | undefined;
  #stack: TestStack | undefined;

  async begin(folder: string, { name, config = {}, program: given, env, isUnmade }: Beginning): Promise<void> {
    this.#engine = await Engine.start(this.cloud, folder, env);
    this.#stack = await this.#engine.stack(name, given ?? program());
    await this.stack.configure({ ...(name === "mainnet" ? PRODUCTION : THROW_AWAY), ...config });
    if (isUnmade) return;
    const { failed, messages } = await this.stack.up();
    expect(failed, messages).to.equal(false);
  }

  get stack(): TestStack {
    if (this.#stack === undefined) throw new Error("the story has not begun");
    return this.#stack;
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error("the story has not begun");
    return this.#engine;
  }

  /** Which machines there are: another one has another id, under the same name. */
  get machines(): string[] {
    return this.cloud.ofType(MACHINE).map(({ outputs }) => text(outputs, "vmId"));
  }

  /** The URN under which Pulumi remembers a resource. */
  async urn(name: string): Promise<string> {
    const { resources } = (await this.stack.stack.exportStack()).deployment as { resources: { urn: string }[] };
    return resources.find(({ urn }) => urn.endsWith(`::${name}`))?.urn ?? "";
  }

  /** All is made, and the next `up` would find nothing to do. */
  async done(): Promise<void> {
    const { failed, messages } = await this.stack.up();
    expect(failed, messages).to.equal(false);
    const after = await this.stack.preview();
    expect(after.operations, after.messages).to.deep.equal([]);
  }

  /** @returns what was said of a command that fails */
  async fails(command: "up" | "preview" | "destroy"): Promise<string> {
    const { failed, messages } = await this.stack[command]();
    expect(failed, command).to.equal(true);
    expect(messages).not.to.match(/\n\s+at /);
    return messages;
  }

  end(): void {
    this.#engine?.close();
  }
}

/** Begins a story before the first test of a suite, notes anew for each what Azure is asked, and ends it after the last. */
export function story(beginning: Beginning): Story {
  const told = new Story();
  const folder = pulumiFolder();
  before(() => (folder === undefined ? undefined : told.begin(folder, beginning)));
  beforeEach(function () {
    requires(this, folder !== undefined, NO_CLI);
    told.cloud.calls.length = 0;
  });
  after(() => told.end());
  return told;
}
