/** Name of the action group: who is told of alerts. */
export const PEOPLE = "signer-people";
