/** How the `cache` commands tell things. */
import type { Io } from "./io.ts";

export { sizeText } from "../storage/cache/size_text.ts";

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
