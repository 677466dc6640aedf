/** Every way that the command can end. docs/releasing.md lists exactly these (test/release/command.test.ts). */
export const EXIT_CODES = {
  done: { code: 0, meaning: "Made; with --check: the same hash as CHANGELOG.md publishes" },
  differs: { code: 1, meaning: "CHANGELOG.md publishes another hash for this version" },
  unpublished: { code: 2, meaning: "CHANGELOG.md publishes no hash for this version" },
  failed: { code: 3, meaning: "No release was made; the message says why" },
  usage: { code: 4, meaning: "The command line is wrong" },
} as const;
