/** Readable names beside the blobs: `by-name/npm/is-odd/is-odd-3.0.1.tgz` points at the blob. Nothing reads them but people. */
import { dirname, join, relative } from "node:path";

const MAX_COMPONENTS = 16;
/** Below the 255 bytes of common file systems. */
const MAX_COMPONENT_BYTES = 200;

function bounded(component: string): string {
  const bytes = new TextEncoder().encode(component);
  if (bytes.length <= MAX_COMPONENT_BYTES) return component;
  // Cut characters come out as U+FFFD.
  return new TextDecoder().decode(bytes.subarray(0, MAX_COMPONENT_BYTES)).replace(/\ufffd+$/, "");
}

/** One component of a path that stays where it is put: no separators, no control characters, not hidden. */
function sanitised(component: string): string {
  // deno-lint-ignore no-control-regex
  const plain = component.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\\:*?"<>|]/g, "_");
  return bounded(plain.replace(/^\.+/, (dots) => "_".repeat(dots.length)).replace(/[. ]+$/, "_"));
}

/** The path below `by-name/`; null where nothing of the label is left. */
export function labelPath(label: string): string | null {
  const components = label.split("/").filter((component) => component !== "").map(sanitised);
  if (components.length === 0 || components.length > MAX_COMPONENTS) return null;
  return components.join("/");
}

/**
 * Lets the label point at the blob, relatively, so that the folder can be moved. Replaces what the label pointed
 * at before, atomically; rejects with what the file system says.
 */
export async function writeLabel(
  options: {
    readonly root: string;
    readonly label: string;
    readonly blob: string;
    readonly temporary: string;
  },
): Promise<void> {
  const { root, label, blob, temporary } = options;
  const path = labelPath(label);
  if (path === null) return;
  const link = join(root, "by-name", path);
  const target = relative(dirname(link), blob);
  if (await isNewly(link, target)) return;
  if (await Deno.readLink(link).catch(() => null) === target) return;
  await Deno.symlink(target, temporary);
  try {
    await Deno.rename(temporary, link);
  } catch (error) {
    await Deno.remove(temporary);
    throw error;
  }
}

/** Nearly every name is new, and its folder mostly there: one call. False: something is there. */
async function isNewly(link: string, target: string): Promise<boolean> {
  for (;;) {
    try {
      await Deno.symlink(target, link);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(link), { recursive: true });
    }
  }
}
