/** How names and versions are read: as loosely as can be for a denial, exactly for an allow. */

/** More rounds than anybody encodes in earnest. */
const MAX_DECODINGS = 4;

/**
 * The loosest reading of a name: percent-decoded to the end, compatibility forms and case folded, every run of
 * `-`, `_` and `.` one dash. Names that fold alike are one name to a denial. Globs stay globs.
 */
export function foldName(name: string): string {
  return decodeFully(name).normalize("NFKC").toLowerCase().replace(/[-_.]+/g, "-");
}

/** The loosest reading of a version, apart from what its scheme's order calls equal: case, a leading `v` or `=`. */
export function foldVersion(version: string): string {
  return decodeFully(version).normalize("NFKC").trim().toLowerCase().replace(/^=?v?(?=[0-9])/, "");
}

/**
 * A registry-exact name as purls write it, namespace and name joined by `/`: Maven's own spelling joins them
 * with a colon.
 */
export function pathOfName(purlType: string, name: string): string {
  return purlType === "maven" ? name.replace(":", "/") : name;
}

function decodeFully(text: string): string {
  let decoded = text;
  for (let round = 0; round < MAX_DECODINGS && decoded.includes("%"); round++) {
    // One escape at a time: a stray "%" must not keep the others encoded.
    const next = decoded.replace(/(?:%[0-9a-f]{2})+/gi, decodeOrKeep);
    if (next === decoded) break;
    decoded = next;
  }
  return decoded;
}

function decodeOrKeep(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}
