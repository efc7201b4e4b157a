/** What a process spends its time on: V8's sampling profile, asked for over the inspector. */

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** As the inspector's `Profiler.stop` answers it: `samples` are node ids, `timeDeltas` the microseconds before each. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface HotFunction {
  /** `name file:line`; a runtime's own function has `ext:` or `node:` before its file. */
  readonly where: string;
  /** Of all the time outside of `(idle)`, in the function itself. */
  readonly share: number;
}

export interface Hottest {
  /** Of the whole time: neither JavaScript nor an operation called by it. The server's own I/O counts as idle. */
  readonly idleShare: number;
  /** The largest first. */
  readonly functions: readonly HotFunction[];
}

/** The functions with the largest own time. */
export function hottest(profile: CpuProfile, count: number): Hottest {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const own = new Map<string, number>();
  let all = 0;
  for (const [index, id] of profile.samples.entries()) {
    const microseconds = profile.timeDeltas[index] ?? 0;
    const name = names.get(id) ?? "(unknown)";
    own.set(name, (own.get(name) ?? 0) + microseconds);
    all += microseconds;
  }
  const idle = own.get("(idle)") ?? 0;
  own.delete("(idle)");
  const functions = [...own].sort((a, b) => b[1] - a[1]).slice(0, count)
    .map(([where, microseconds]) => ({ where, share: microseconds / (all - idle) }));
  return { idleShare: idle / all, functions };
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  if (functionName.startsWith("(") || (url === "" && functionName !== "")) return functionName;
  const file = /^(?:ext|node):/.test(url) ? url : url.split("/").slice(-2).join("/");
  return `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
}

/** Samples the process with this inspector (`ws://…`) while `during` runs. Rejects where it cannot be reached. */
export async function profiled(inspector: string, during: () => Promise<unknown>): Promise<CpuProfile> {
  const socket = new WebSocket(inspector);
  const answers = new Map<number, (result: unknown) => void>();
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`Cannot reach the inspector at ${inspector}`));
  });
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data) as { readonly id?: number; readonly result?: unknown };
    if (id !== undefined) answers.get(id)?.(result);
  };
  let last = 0;
  const call = (method: string, params: Readonly<Record<string, unknown>> = {}) =>
    new Promise<unknown>((resolve) => {
      answers.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  try {
    await call("Profiler.enable");
    await call("Profiler.setSamplingInterval", { interval: 200 });
    await call("Profiler.start");
    await during();
    return ((await call("Profiler.stop")) as { readonly profile: CpuProfile }).profile;
  } finally {
    socket.close();
  }
}
