import type { Plan, PlannedResource } from "../../../infra/plan/plan.ts";

/** A resource of a plan by its name in the program. */
export function resource({ resources }: Plan, name: string): PlannedResource {
  const found = resources.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no ${name} in the plan`);
  return found;
}

/** The names of a plan's resources in the program. */
export function names({ resources }: Plan): string[] {
  return resources.map(({ name }) => name);
}
