/**
 * The first parts of keys that no backup holds and no restore writes: leases and reports are of processes that are
 * gone then, and what is in the store is counted anew.
 */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  "leases",
  "processes",
  "readiness",
  "cache_tally",
  "restore",
  // Who is signed in: a secret of a browser's, and nobody's once what they may do is another.
  "sessions",
  "visitors",
  // As it was called once.
  "restoring",
]);
