/**
 * What comes from Azure, in commands that are printed. Pure.
 * @module
 */

/**
 * Returns a text as one word of a shell: names that come from Azure go into commands that a person pastes, and anybody with
 * rights in the subscription chooses names.
 */
export function word(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
