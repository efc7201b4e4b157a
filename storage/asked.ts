/** Which packages an organisation asked for lately, an index or a file of them. */
import type { EpochMs } from "../policy/types.ts";
import type { OrganisationView } from "./organisations.ts";

/** Whose it is: an organisation, told from a deleted namesake. */
export type Asker = Pick<OrganisationView, "id" | "life">;

export interface AskedPackage {
  readonly ecosystem: string;
  /** The registry-exact name. */
  readonly name: string;
  /** When it was asked for last, to within ten minutes. */
  readonly at: EpochMs;
}

/** Of the last 30 days. */
export interface AskedLately {
  /** The last asked for first, 1,000 at most. */
  readonly packages: readonly AskedPackage[];
  /** Others were asked for too, and forgotten: there were too many. */
  readonly isCut: boolean;
}

export interface AskedPackages {
  /**
   * The organisation was answered. `occasion` stands for organisation and package as long as it lives: of one that
   * was noted in the last ten minutes it costs a look into a set. No I/O.
   */
  note(occasion: object, asker: Asker, of: { readonly ecosystem: string; readonly name: string }): void;
  /** Writes down what was noted since the last call; throws StorageError, and then the next call writes it. */
  fold(): Promise<void>;
  /** What this process has not written down is among it. Throws StorageError. */
  read(asker: Asker): Promise<AskedLately>;
}
