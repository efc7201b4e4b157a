/** The ecosystems Sluice speaks: one folder and one line each; a test compares this list with the folders. */
import type { Ecosystem } from "./ecosystem.ts";
import { npm } from "./npm/npm.ts";

export const ECOSYSTEMS: readonly Ecosystem[] = Object.freeze([npm]);
