import project from "../deno.json" with { type: "json" };

/** This release, as deno.json has it. */
export const VERSION: string = project.version;
