/** What is asked at the desk where exceptions are asked for and answered; types only. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { Liftable } from "../../policy/documents.ts";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Principal } from "../../storage/tokens.ts";
import type { WaiverAsker, WaiverRequest } from "../../storage/waivers.ts";

/** Which releases: `version` or `range`, one of them. */
export interface WaiverSubject {
  readonly ecosystem: Ecosystem;
  /** Registry-exact. */
  readonly name: string;
  readonly version: string | null;
  readonly range: string | null;
}

export interface Asking {
  readonly view: OrganisationView;
  readonly subject: WaiverSubject;
  readonly reason: string;
  readonly ticket: string | null;
  /** null: until what is asked for matures. */
  readonly until: EpochMs | null;
  readonly decisionId: string | null;
  readonly asker: WaiverAsker;
}

export interface Granting {
  readonly view: OrganisationView;
  /** What precedes `/-/…` for the organisation. */
  readonly site: string;
  readonly principal: Principal;
  readonly subject: WaiverSubject;
  /** null: until what is granted matures. */
  readonly until: EpochMs | null;
  /** null: holds alone. */
  readonly lifts: readonly Liftable[] | null;
}

/** All throw ApiError, which names the field: `body.until`; and StorageError. */
export interface WaiverDesk {
  /** One that the same person has open for the same is answered instead. */
  ask(asking: Asking): Promise<{ readonly request: WaiverRequest; readonly isNew: boolean }>;
  /** In force within a second. */
  grantUnasked(
    granting: Granting & { readonly reason: string; readonly ticket: string | null },
  ): Promise<Waiver>;
  grant(
    granting: Granting & { readonly request: WaiverRequest; readonly word: string | null },
  ): Promise<{ readonly request: WaiverRequest; readonly waiver: Waiver }>;
  decline(declining: {
    readonly view: OrganisationView;
    readonly site: string;
    readonly principal: Principal;
    readonly request: WaiverRequest;
    readonly word: string | null;
  }): Promise<WaiverRequest>;
}
