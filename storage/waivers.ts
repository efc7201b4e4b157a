/** Exceptions from a policy: asked for, answered, in force until they end, and what became of them. */
import type { EpochMs, Waiver } from "../policy/types.ts";

/** Whoever asks or answers. */
export interface WaiverAsker {
  /** null: somebody without a name. */
  readonly user: string | null;
  /** By a token or a session; else the name is what they said. */
  readonly isVerified: boolean;
  readonly address: string;
}

/** What somebody asks an exception for. */
export interface WaiverRequest {
  /** Sorts by time. */
  readonly id: string;
  readonly ecosystem: string;
  /** Registry-exact. */
  readonly name: string;
  /** null: those in `range`. */
  readonly version: string | null;
  readonly range: string | null;
  readonly reason: string;
  readonly ticket: string | null;
  /** When it shall end; null: once what is asked for matures. */
  readonly until: EpochMs | null;
  readonly asker: WaiverAsker;
  readonly askedAt: EpochMs;
  /** Unanswered by then, it is closed. */
  readonly lapsesAt: EpochMs;
  /** The refusal that led here; null: none did. */
  readonly decisionId: string | null;
  /** null: it is open. */
  readonly answer: WaiverAnswer | null;
}

export interface WaiverAnswer {
  readonly granted: boolean;
  readonly by: string;
  readonly at: EpochMs;
  /** For the asker; null: nothing was said. */
  readonly word: string | null;
  /** What was granted, and until when; null: it was declined. */
  readonly waiver: { readonly id: string; readonly until: EpochMs } | null;
}

/** A waiver that was granted once, with how it ended or will. */
export interface PastWaiver {
  readonly waiver: Waiver;
  /** Its own end, or when it was revoked. */
  readonly endedAt: EpochMs;
  /** null: it was not. */
  readonly revokedBy: string | null;
}

/** How often files were served thanks to a waiver. */
export interface WaiverUse {
  readonly count: number;
  /** null: never. */
  readonly lastAt: EpochMs | null;
}

/** A page of a series, the newest first. */
export interface WaiverPage<T> {
  readonly rows: readonly T[];
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null;
}

export interface PageQuery {
  readonly limit: number;
  /** What a page's `next` said. */
  readonly after?: string | undefined;
}

/** All throw StorageError where KV fails, OrganisationError `unknown` where there is no such organisation. */
export interface WaiverRequests {
  /** `full`: as many are open as may be (of those whose name nobody verified, fewer). */
  add(organisation: string, request: WaiverRequest): Promise<"added" | "full">;
  /** null: there is none, or it was answered long ago. */
  get(organisation: string, id: string): Promise<WaiverRequest | null>;
  open(organisation: string, page: PageQuery): Promise<WaiverPage<WaiverRequest>>;
  answered(organisation: string, page: PageQuery): Promise<WaiverPage<WaiverRequest>>;
  /** Of one package, open and answered, the newest first. */
  ofPackage(
    organisation: string,
    of: { readonly ecosystem: string; readonly name: string; readonly limit: number },
  ): Promise<readonly WaiverRequest[]>;
  /** Answers one that is open, and in the same commit puts its waiver in force. null: it is not open any more. */
  answer(
    organisation: string,
    id: string,
    answer: { readonly answer: WaiverAnswer; readonly waiver: Waiver | null },
  ): Promise<WaiverRequest | null>;
}
