/** Sessions in KV: under their member, by the hash of a secret that only the browser has. In no backup. */
import { timingSafeEqual } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import type { Trait } from "../members.ts";
import type { Clock } from "../runtime.ts";
import {
  ABSOLUTE_MS,
  type Identity,
  IDLE_MS,
  MAX_SESSIONS,
  type OpenSession,
  type ProviderId,
  type Session,
  type Sessions,
  type Visitor,
} from "../sessions.ts";
import { StorageError } from "../errors.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import {
  hashOfSecret,
  memberPartOf,
  newSecret,
  placeOfId,
  placeOfSecret,
  seal,
  unseal,
} from "./session_secret.ts";

const USE_NOTED_MS = 5 * 60_000;
const VISITOR_KEPT_MS = 90 * 86_400_000;
const MAX_USER_LENGTH = 200;
/** A value in KV has 64 KiB: what is beyond gives no role. */
const MAX_TRAITS_LENGTH = 16_000;

interface IdentityRecord {
  readonly provider: ProviderId;
  readonly subject: string;
  readonly user: string;
  readonly traits: readonly Trait[];
}

interface SessionRecord extends IdentityRecord {
  readonly v: 1;
  readonly hash: Uint8Array;
  readonly createdAt: EpochMs;
  readonly usedAt: EpochMs;
  readonly readAt: EpochMs;
  readonly sealed: Uint8Array | null;
}

interface VisitorRecord extends IdentityRecord {
  readonly v: 1;
  readonly signedInAt: EpochMs;
}

/** One for the process; several processes may share the store. */
export function createSessions(kv: Deno.Kv, deps: { readonly clock: Clock }): Sessions {
  const { clock } = deps;

  async function begin(given: Identity, grant: string | null) {
    const identity = bounded(given);
    const now = clock();
    const member = memberPartOf(identity.provider, identity.subject);
    const { place, secret } = newSecret(member);
    const sealed = grant === null ? null : seal(secret, grant);
    const record: SessionRecord = {
      v: 1,
      hash: hashOfSecret(secret),
      ...identity,
      createdAt: now,
      usedAt: now,
      readAt: now,
      sealed,
    };
    const others = await ofMember(member);
    const atomic = kv.atomic();
    for (const { id } of others.slice(MAX_SESSIONS - 1)) {
      atomic.delete(keys.session(member, placeOfId(id)?.session ?? ""));
    }
    const visitor: VisitorRecord = { v: 1, ...identity, signedInAt: now };
    const done = await attempt("begin a session", () =>
      atomic
        .set(keys.session(member, place.session), record, expiryOf(record, now))
        .set(keys.visitor(member), visitor, { expireIn: VISITOR_KEPT_MS })
        .commit());
    if (!done.ok) throw new StorageError("Cannot begin a session: nothing was written");
    return { secret, session: sessionOf(`${member}${place.session}`, record) };
  }

  async function find(secret: string): Promise<OpenSession | null> {
    const entry = await entryOf(secret);
    if (entry === null) return null;
    const { value, id } = entry;
    const grant = value.sealed === null ? null : unseal(secret, value.sealed);
    return { session: sessionOf(id, value), grant };
  }

  /** null: there is none, the secret is another's, or it has ended. */
  async function entryOf(secret: string) {
    const place = placeOfSecret(secret);
    if (place === null) return null;
    const key = keys.session(place.member, place.session);
    const { value, versionstamp } = await attempt("read a session", () => kv.get<SessionRecord>(key));
    if (value === null || !timingSafeEqual(value.hash, hashOfSecret(secret))) return null;
    // KV removes what has expired when it comes to it.
    if (hasEnded(value, clock())) return null;
    return { key, value, versionstamp, id: `${place.member}${place.session}` };
  }

  async function use({ id, usedAt }: Session): Promise<void> {
    const now = clock();
    if (now - usedAt < USE_NOTED_MS) return;
    const place = placeOfId(id);
    const key = keys.session(place?.member ?? "", place?.session ?? "");
    const entry = await attempt("read a session", () => kv.get<SessionRecord>(key));
    if (entry.value === null || hasEnded(entry.value, now)) return;
    const next: SessionRecord = { ...entry.value, usedAt: now };
    // What was ended meanwhile stays so; what was noted meanwhile is as good.
    await attempt(
      "note a session's use",
      () => kv.atomic().check(entry).set(key, next, expiryOf(next, now)).commit(),
    );
  }

  async function renew(secret: string, given: Identity, grant: string | null): Promise<boolean> {
    const identity = bounded(given);
    for (let i = 0; i < 5; i++) {
      const entry = await entryOf(secret);
      if (entry === null) return false;
      const { key, value, versionstamp } = entry;
      const now = clock();
      const member = memberPartOf(value.provider, value.subject);
      const sealed = grant === null ? null : seal(secret, grant);
      const next: SessionRecord = { ...value, ...identity, usedAt: now, readAt: now, sealed };
      const visitor = await attempt("read a visitor", () => kv.get<VisitorRecord>(keys.visitor(member)));
      const signedInAt = visitor.value?.signedInAt ?? value.createdAt;
      const atomic = kv.atomic()
        .check({ key, versionstamp })
        .set(key, next, expiryOf(next, now))
        .set(keys.visitor(member), { v: 1, ...identity, signedInAt }, { expireIn: VISITOR_KEPT_MS });
      if ((await attempt("renew a session", () => atomic.commit())).ok) return true;
    }
    throw new StorageError("Cannot renew a session: too many changes at once");
  }

  async function end(id: string): Promise<boolean> {
    const place = placeOfId(id);
    if (place === null || place.session === null) return false;
    const key = keys.session(place.member, place.session);
    const { value } = await attempt("read a session", () => kv.get(key));
    if (value === null) return false;
    await attempt("end a session", () => kv.delete(key));
    return true;
  }

  async function endAll(id: string): Promise<number> {
    const place = placeOfId(id);
    if (place === null) return 0;
    let ended = 0;
    await attempt("end a member's sessions", async () => {
      for await (const { key } of kv.list({ prefix: keys.sessions(place.member) })) {
        await kv.delete(key);
        ended++;
      }
    });
    return ended;
  }

  async function ofMember(member: string): Promise<readonly Session[]> {
    const found: Session[] = [];
    const now = clock();
    await attempt("list a member's sessions", async () => {
      for await (const { key, value } of kv.list<SessionRecord>({ prefix: keys.sessions(member) })) {
        if (!hasEnded(value, now)) found.push(sessionOf(`${member}${String(key[2])}`, value));
      }
    });
    return found.sort((a, b) => b.usedAt - a.usedAt || b.createdAt - a.createdAt);
  }

  async function visitors(): Promise<readonly Visitor[]> {
    const found: Visitor[] = [];
    await attempt("list who signed in", async () => {
      const all = kv.list<VisitorRecord>({ prefix: keys.visitors() }, { batchSize: 500 });
      for await (const { key, value } of all) {
        const { provider, subject, user, traits, signedInAt } = value;
        if (clock() - signedInAt > VISITOR_KEPT_MS) continue;
        found.push({ id: String(key[1]), provider, subject, user, traits, signedInAt });
      }
    });
    return found.sort((a, b) => b.signedInAt - a.signedInAt);
  }

  return {
    begin,
    find,
    use,
    renew,
    end,
    endAll,
    of: async (id) => {
      const place = placeOfId(id);
      return place === null ? [] : await ofMember(place.member);
    },
    visitors,
  };
}

function hasEnded({ createdAt, usedAt }: SessionRecord, now: EpochMs): boolean {
  return now - usedAt >= IDLE_MS || now - createdAt >= ABSOLUTE_MS;
}

/** As KV's `set` takes it. */
function expiryOf({ createdAt, usedAt }: SessionRecord, now: EpochMs): { readonly expireIn: number } {
  return { expireIn: Math.max(1, Math.min(usedAt + IDLE_MS, createdAt + ABSOLUTE_MS) - now) };
}

function sessionOf(id: string, record: SessionRecord): Session {
  const { provider, subject, user, traits, createdAt, usedAt, readAt } = record;
  return { id, provider, subject, user, traits, createdAt, usedAt, readAt };
}

/** As strangers' texts may be written down. */
function bounded({ provider, subject, user, traits }: Identity): IdentityRecord {
  let left = MAX_TRAITS_LENGTH;
  const kept = traits.filter((trait) => trait.isWellFormed() && (left -= trait.length + 4) >= 0);
  return {
    provider,
    subject,
    user: user.toWellFormed().replaceAll(/\p{Cc}/gu, " ").slice(0, MAX_USER_LENGTH).toWellFormed(),
    traits: kept,
  };
}
