/** What changed, in lines of `+`, `-` and `~`: the first are seen, the others unfold. */

const OPEN_LINES = 6;
/** Characters of one line that are seen before it unfolds. */
const OPEN_CHARS = 240;
const TONES: Readonly<Record<string, string>> = { "+": "added", "-": "removed" };

export function ChangeLines({ lines }: { readonly lines: readonly string[] }) {
  const [first, rest] = lines.length <= OPEN_LINES + 1
    ? [lines, []]
    : [lines.slice(0, OPEN_LINES), lines.slice(OPEN_LINES)];
  return (
    <>
      <Lines lines={first} />
      {rest.length === 0 ? null : (
        <details>
          <summary>{rest.length} more</summary>
          <Lines lines={rest} />
        </details>
      )}
    </>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return <ul class="plain mono changes">{lines.map((line) => <Line line={line} />)}</ul>;
}

function Line({ line }: { readonly line: string }) {
  const tone = TONES[line[0] ?? ""];
  if (line.length <= OPEN_CHARS) return <li class={tone}>{line}</li>;
  return (
    <li class={tone}>
      <details>
        <summary>{line.slice(0, OPEN_CHARS).toWellFormed()}… ({line.length} characters)</summary>
        {line}
      </details>
    </li>
  );
}
