/** How the command is written. */
export const USAGE = "npm run plan -- [--stack NAME] [--json] [--guide]";
