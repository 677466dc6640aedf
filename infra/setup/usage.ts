/** How the command is written, and what it says of itself. */
export const USAGE = `npm run setup -- [--stack NAME] [--kind test|production] [--network mainnet|shadownet] [--location REGION]
  [--baker-ip ADDRESS] [--client-key KEY] [--ssh-key FILE] [--first-level LEVEL] [--alert-email ADDRESS] [--change]

Asks what a stack needs, checks each answer at once, writes the stack's file, and prints the plan and the next command.
An option answers its question beforehand; without a terminal nothing is asked, and what is missing is a mistake.
--change takes a stack's file that is there, and keeps in it what is not asked. Nothing is contacted, and nothing is made.
Exit codes: 0 written, 1 not written since an answer is wrong or missing, 2 wrong command line, 130 Ctrl-C.`;
