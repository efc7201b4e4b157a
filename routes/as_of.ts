/** What `/at/{…}` means: a day, an RFC 3339 time, or a snapshot of the organisation's. */
import type { AsOf } from "../ecosystems/outcome.ts";
import { formatInstant, parseInstant } from "../policy/instant.ts";
import type { EpochMs } from "../policy/types.ts";
import type { OrganisationView } from "../storage/organisations.ts";
import type { Told } from "./say_problem.ts";

export type AsOfReading =
  | { readonly ok: true; readonly at: AsOf | undefined }
  | { readonly ok: false; readonly problem: Told };

/** Of an address that names no instant. */
export const NOW: AsOfReading = Object.freeze({ ok: true, at: undefined });

/** An instant begins with a digit, a snapshot's name with a letter. */
const LOOKS_LIKE_INSTANT = /^\d[\d:.TtZz+-]{3,39}$/;
const FORMS = "a day (2026-03-01), a time (2026-03-01T12:00:00Z) or a snapshot's name";

/** The message quotes only what has the form of an instant or a name. */
export function readAsOf(text: string, view: OrganisationView, now: EpochMs): AsOfReading {
  const snapshot = view.snapshots.find(({ id }) => id === text);
  if (snapshot !== undefined) return { ok: true, at: { instant: snapshot.at, text, isNamed: true } };
  const instant = LOOKS_LIKE_INSTANT.test(text) ? parseInstant(text) : null;
  if (instant === null) return unreadable(text, view);
  if (instant > now) {
    return refuse(400, "future-instant", `${text} is in the future: it is ${formatInstant(now)} now.`);
  }
  if (instant < 0) return refuse(400, "malformed-instant", `${text} is before 1970.`);
  return { ok: true, at: { instant, text, isNamed: false } };
}

function unreadable(text: string, view: OrganisationView): AsOfReading {
  if (!/^[A-Za-z][\w.-]{0,63}$/.test(text)) {
    return refuse(400, "malformed-instant", `What follows /at/ is ${FORMS}.`);
  }
  const message = `Organisation "${view.id}" has no snapshot "${text}": what follows /at/ is ${FORMS}.`;
  return refuse(404, "no-such-snapshot", message);
}

function refuse(status: 400 | 404, code: string, message: string): AsOfReading {
  return { ok: false, problem: { status, code, message } };
}
