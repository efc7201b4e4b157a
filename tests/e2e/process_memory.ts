/** What a process takes of the machine's memory, as Linux counts it. */

export interface ProcessMemory {
  /** Resident now. */
  readonly rssBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
}

/** For a test's name where /proc is not what it is on Linux. */
export const NO_PROC = Deno.build.os === "linux" ? null : "memory is read from /proc";

/** Throws where the process is gone. */
export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1024;
  return { rssBytes: read("VmRSS"), peakBytes: read("VmHWM") };
}

/** For messages. */
export function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
