/** What a process takes of the machine, from `/proc`. */

/** Linux's clock ticks a second, whatever the kernel's own are. */
const TICKS_PER_SECOND = 100;

/** Seconds of both cores that a process and its children have had; null where the system does not tell. */
export function cpuSecondsOf(pid: number): number | null {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").filter((id) =>
      id !== ""
    );
    return [pid, ...children].reduce<number>((sum, id) => {
      // The second field is the command's name, in brackets, and may hold anything.
      const fields = Deno.readTextFileSync(`/proc/${id}/stat`).replace(/^.*\) /s, "").split(" ");
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return null;
  }
}

/** Of a process, in megabytes: now, and the most it ever was or was since `forgetPeak`; null as above. */
export async function memoryOf(
  pid: number,
): Promise<{ readonly rssMb: number; readonly peakMb: number } | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const read = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1000;
    return { rssMb: read("VmRSS"), peakMb: read("VmHWM") };
  } catch {
    return null;
  }
}

/** The kernel's mark of the most memory starts anew. */
export function forgetPeak(pid: number): void {
  try {
    Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Then the mark is that of the whole life.
  }
}
