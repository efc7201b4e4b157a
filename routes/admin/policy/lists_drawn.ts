/** Everything that a page of lists is drawn from. */
import type { WrittenEntry } from "../../../policy/entries.ts";
import type { PageContext } from "../page.ts";
import type { Tried } from "./draft.ts";
import type { DocumentKind, Revisioned } from "./kinds.ts";
import type { Filter, ListsForm } from "./lists_form.ts";

export interface Drawn {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  readonly path: string;
  readonly base: Revisioned;
  readonly entries: readonly WrittenEntry[];
  readonly filter: Filter;
  readonly from: number;
  readonly form: ListsForm;
  readonly message: string;
  readonly tried: Tried | null;
  /** By the rows' prefixes. */
  readonly places: ReadonlyMap<string, string>;
}
