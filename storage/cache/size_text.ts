/** Sizes for people. */

const UNITS = ["kB", "MB", "GB", "TB"] as const;

/** `5.2 GB`: decimal, as disks are sold, with at most three digits. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
