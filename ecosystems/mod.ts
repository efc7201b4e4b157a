/** The ecosystems Sluice speaks: one folder and one line each; a test compares this list with the folders. */
import type { Ecosystem } from "./ecosystem.ts";
import { cargo } from "./cargo/cargo.ts";
import { npm } from "./npm/npm.ts";
import { pypi } from "./pypi/pypi.ts";

export const ECOSYSTEMS: readonly Ecosystem[] = Object.freeze([npm, cargo, pypi]);
