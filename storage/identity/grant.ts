/** What a provider is asked again with: tokens, as one text. Sealed by whoever keeps it. */

export interface Grant {
  readonly access: string;
  /** null: there is none. */
  readonly refresh: string | null;
  /** When the access token ends, in milliseconds since 1970; null: nobody said. */
  readonly endsAt: number | null;
  /** All that was said of somebody is said again to whoever has the access token. */
  readonly isWhole: boolean;
}

/** A sealed one is kept in a record of KV. */
const MAX_LENGTH = 16_000;

/** Without the access token where both are too long together: it can be had again. One that is longer yet is lost. */
export function writeGrant(grant: Grant): string {
  const forms = [grant, { ...grant, access: "", endsAt: 0 }].map((each) => JSON.stringify(each));
  return forms.find((text) => text.length <= MAX_LENGTH) ?? "";
}

/** null: it is none. */
export function readGrant(text: string): Grant | null {
  try {
    const { access, refresh, endsAt, isWhole } = JSON.parse(text);
    if (typeof access !== "string") return null;
    return {
      access,
      refresh: typeof refresh === "string" ? refresh : null,
      endsAt: typeof endsAt === "number" ? endsAt : null,
      isWhole: isWhole === true,
    };
  } catch {
    return null;
  }
}
