/** Returns those of Pulumi's arguments that name the stack, as other programs take them: Pulumi takes `-sNAME` too. */
export function stackIn(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    if (arg === "--stack" || arg === "-s") return args.slice(at, at + 2);
    return /^(?:--stack=|-s.)/.test(arg) ? [arg.replace(/^-s(?=.)/, "--stack=")] : [];
  });
}
