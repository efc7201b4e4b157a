/** What an entry of the audit trail says that somebody did. */

const WORDS: Readonly<Record<string, string>> = {
  acknowledgeAlert: "Acknowledged an alert",
  restore: "Restored",
  purgeCache: "Purged the cache",
  verifyCache: "Verified the cache",
  pin: "Pinned in the cache",
  unpin: "Unpinned in the cache",
  freezePackage: "Froze",
  unfreezePackage: "Lifted the freeze of",
  forgetUser: "Took out of the install log",
  addMember: "Gave a role to",
  removeMember: "Took away the role of",
  endSessions: "Signed out everywhere",
  createOrganisation: "Made the organisation",
  deleteOrganisation: "Deleted the organisation",
  putPolicy: "Wrote the policy,",
  restorePolicy: "Restored the policy,",
  putFloor: "Wrote the floor,",
  restoreFloor: "Restored the floor,",
  revokeWaiver: "Revoked the waiver",
  createOwnToken: "Made a token of their own,",
  revokeOwnToken: "Revoked a token of their own,",
  createToken: "Made the token",
  revokeToken: "Revoked the token",
  prefetch: "Prefetched",
  createSnapshot: "Named the snapshot",
  deleteSnapshot: "Forgot the snapshot",
  askForWaiver: "Asked for an exception for",
  grantWaiverRequest: "Granted an exception for",
  declineWaiverRequest: "Declined an exception for",
  grantWaiver: "Granted an exception, unasked, for",
};

/** Goes before the subject; of an operation that has no words, its name. */
export function wordsOf(action: string): string {
  if (Object.hasOwn(WORDS, action)) return WORDS[action]!;
  const words = action.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Whether somebody chose words for it. */
export function hasWords(action: string): boolean {
  return Object.hasOwn(WORDS, action);
}
