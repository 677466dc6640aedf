import type { Facts, Row } from "../../../infra/preflight/row.ts";
import { examine } from "../../../infra/preflight/table.ts";
import { Az } from "../../emulators/azure-resource-manager/az.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Management } from "../../emulators/azure-resource-manager/management.ts";
import "../../emulators/azure-resource-manager/management-endpoint.ts";
import { plan, settings } from "../../fixtures/stack-configs.ts";
import { callsIn } from "../../harness/shell-words.ts";

/** A subscription, a configuration and whoever types commands. */
export class World implements AsyncDisposable {
  readonly cloud: Cloud;
  readonly management: Management;
  readonly #az: Az;
  config: Record<string, string>;
  /** The stack's random id; undefined before its first `up`. */
  id: string | undefined;
  address = "198.51.100.9";
  now = new Date("2026-11-29T12:00:00Z");
  timeoutMs = 60_000;

  private constructor(cloud: Cloud, management: Management, config: Readonly<Record<string, string>>) {
    this.cloud = cloud;
    this.management = management;
    this.#az = new Az(cloud);
    this.config = { ...config };
  }

  static async start(config: Readonly<Record<string, string>> = {}): Promise<World> {
    const cloud = new Cloud();
    return new World(cloud, await Management.start(cloud), config);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.management.close();
  }

  /** Looks at everything. */
  async rows(): Promise<Row[]> {
    return examine(await this.facts());
  }

  async facts(): Promise<Facts> {
    const { subscription, managementToken = "" } = this.cloud;
    const group = "tezos-signer-dev";
    const home = `${subscription}/resourceGroups/${group}`;
    return {
      settings: settings(this.config),
      plan: await plan(this.config),
      subscription,
      asker: { token: managementToken, timeoutMs: this.timeoutMs },
      objectId: this.cloud.deployer.objectId,
      group,
      standing: this.cloud.get(home) && new Set(this.cloud.below(home).map(({ id }) => id.toLowerCase())),
      id: this.id,
      now: this.now,
      ownAddress: async () => this.address,
    };
  }

  /** Types the command that a row names. @throws Error where there is no such command, or it is refused */
  type(command: string): void {
    if (command === "git pull") this.cloud.account.ended.clear();
    // The next `up` makes another id.
    else if (command === "npm run destroy") this.id = "fedcba9876543210";
    else {
      const words = callsIn(command).at(-1) ?? [];
      if (words[0] === "az") this.#az.run(words.slice(1));
      else if (words.slice(0, 3).join(" ") === "pulumi config set" && words.length === 5) {
        this.config[words[3] ?? ""] = words[4] ?? "";
      } else throw new Error(`nobody knows ${command}`);
    }
  }
}
