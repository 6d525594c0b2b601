/** What `look` says, or something other where it throws: what is looked at may not be there, be somebody else's, or have ended meanwhile. */
export function orElse<T>(other: T, look: () => T): T {
  try {
    return look();
  } catch {
    return other;
  }
}
