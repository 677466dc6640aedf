/**
 * Reads a version's published hash.
 * @param changelog CHANGELOG.md: a section `## [VERSION]` a version, with a line `Release SHA-256: HEX`
 * @returns hex, or undefined where the version has no section or its section no hash
 */
export function publishedHash(changelog: string, version: string): string | undefined {
  const sections = changelog.replaceAll("\r\n", "\n").split(/^## /m);
  const section = sections.find((text) => text.startsWith(`[${version}]`));
  return /^Release SHA-256: `?([0-9a-f]{64})`?$/m.exec(section ?? "")?.[1];
}
