import { FROM_HERE } from "./faults-from-here.ts";
import { OTHER_VAULT, SHORT, VAULT } from "./faults-in-vault.ts";
import { NO_AGENT, NO_ROLE, ON_MACHINE } from "./faults-on-machine.ts";
import { KEYS, type Look, refusedWith, slow, THROWN, twist } from "./twists.ts";

/** Everything by name. */
export const LOOKS: Readonly<Record<string, Look>> = {
  "what somebody changed beside Pulumi": FROM_HERE,
  "a machine on which everything is otherwise, and its table": ON_MACHINE,
  "a machine without its role on the table": NO_ROLE,
  "a machine that is busy with another command": NO_AGENT,
  "a vault in which nearly everything is otherwise": VAULT,
  "a vault in which the rest is, and which cannot be purged": OTHER_VAULT,
  "a table that is slow": slow("machine", ["table's speed"]),
  "a vault that is slow": slow("vault", ["signing speed", "new connections"]),
  "signatures that are short": SHORT,
  "a policy that never works": {
    part: "vault",
    faults: [
      {
        row: "policy works",
        says: "not work after ten minutes (403 Forbidden ForbiddenByPolicy)",
        beside: ["list tells a change", "list tells a version"],
        breaks: twist(THROWN, KEYS, refusedWith("ForbiddenByPolicy")),
      },
    ],
  },
};
