/** How the `cache` commands tell things. */
import type { Io } from "./io.ts";

const UNITS = ["kB", "MB", "GB", "TB"] as const;

/** `5.2 GB`: decimal, as disks are sold, with at most three digits. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** `1 file`, `2 files`. */
export function countText(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

export interface ProgressLine {
  /** Shown on a terminal, at most ten times a second. */
  show(text: string): void;
  /** Makes room for what is printed next. */
  clear(): void;
}

/** One line on standard error that is written over; nothing where nobody watches. */
export function createProgressLine(io: Io): ProgressLine {
  let shownAt = -Infinity;
  let isShown = false;
  return {
    show(text) {
      if (!io.isTty || Math.abs(io.clock() - shownAt) < 100) return;
      shownAt = io.clock();
      isShown = true;
      io.stderr(`\r\x1b[K${text}`);
    },
    clear() {
      if (isShown) io.stderr("\r\x1b[K");
      isShown = false;
    },
  };
}
