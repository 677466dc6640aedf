import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that installing, upgrading and checking run, or that the service's sandbox names by their path. */
const PROGRAMS = ["systemctl", "systemd-run", "systemd-sysusers", "runuser", "tar", "gzip", "sha256sum"];
const PATHS = ["/usr/bin/curl", "/usr/bin/dash", "/usr/bin/sleep"];

/** Says what this computer lacks. @returns a sentence for each */
export function missingPrograms(): string[] {
  if (!existsSync("/run/systemd/system")) {
    return [
      "systemd does not run this computer, and it is what starts the signer and holds its port. In a container see docs/on-premises.md.",
    ];
  }
  const folders = (process.env.PATH ?? "").split(delimiter);
  const missing = PROGRAMS.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  const absent = [...missing, ...PATHS.filter((path) => !existsSync(path))];
  return absent.length === 0
    ? []
    : [`This computer has no ${absent.join(", no ")}. Install what is missing (Debian, Ubuntu: curl, dash).`];
}
