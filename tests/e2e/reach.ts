/** Whether a public registry can be asked from this machine. */

/** null where a GET of it succeeds within five seconds; else what it answered, or why it did not. */
export async function unreachable(url: URL): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 80) : String(error);
  }
}
