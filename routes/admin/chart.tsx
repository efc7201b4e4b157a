/** Bars over time, made on the server; with the same numbers as a table for those who read one. */
import { count } from "../text.ts";
import { Table } from "./ui.tsx";

export interface Point {
  /** `2026-11-21` */
  readonly label: string;
  /** One for each series; the second stands on top of the first. */
  readonly values: readonly number[];
}

interface Drawing {
  readonly series: readonly string[];
  readonly points: readonly Point[];
  readonly tones: readonly ("good" | "plain" | "bad")[];
  /** What the highest bar amounts to; at least 1. */
  readonly most: number;
}

/** Of the drawing alone: it is stretched to its place, and what is written stands around it. */
const WIDTH = 600;
const HEIGHT = 100;

/** At most two series. Without tones the second is what went wrong. */
export function Chart({ title, series, points, tones = ["good", "bad"] }: Omit<Drawing, "most" | "tones"> & {
  readonly title: string;
  readonly tones?: Drawing["tones"];
}) {
  const totals = points.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(1, ...totals);
  return (
    <figure class="card">
      <figcaption>
        {title}
        <ul class="legends">
          {series.map((name, at) => (
            <li>
              <span class={`legend ${tones[at]}`} />
              {name}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot">
        <div class="most" aria-hidden="true">{count(most)}</div>
        <svg
          class="chart"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${summary(series, points)}`}
        >
          <Bars series={series} points={points} tones={tones} most={most} />
        </svg>
        <div class="ends" aria-hidden="true">
          {endsOf(points).map((label) => <span>{dayText(label)}</span>)}
        </div>
      </div>
      <details>
        <summary>As a table</summary>
        <Table
          caption={title}
          rows={points}
          columns={[
            { title: "Day", cell: ({ label }) => label },
            ...series.map((name, at) => ({
              title: name,
              cell: ({ values }: Point) => count(values[at] ?? 0),
              isNumber: true,
            })),
          ]}
        />
      </details>
    </figure>
  );
}

function Bars({ series, points, tones, most }: Drawing) {
  const step = WIDTH / Math.max(1, points.length);
  return (
    <>
      {points.map(({ label, values }, index) => {
        let base = HEIGHT;
        return (
          <g>
            <title>
              {`${label}: ${values.map((value, at) => `${count(value)} ${series[at]}`).join(", ")}`}
            </title>
            <rect class="hover" x={index * step} y="0" width={step} height={HEIGHT} />
            {values.map((value, at) => {
              const high = HEIGHT * value / most;
              base -= high;
              return (
                <rect
                  class={`bar ${tones[at]}`}
                  x={(index * step + step * 0.15).toFixed(1)}
                  y={base.toFixed(1)}
                  width={(step * 0.7).toFixed(1)}
                  height={high.toFixed(1)}
                />
              );
            })}
          </g>
        );
      })}
    </>
  );
}

/** The first, the middle and the last, as far as they are different ones. */
function endsOf(points: readonly Point[]): readonly string[] {
  const labels = points.map(({ label }) => label);
  return [...new Set([labels.at(0), labels.at(labels.length / 2), labels.at(-1)])]
    .filter((label) => label !== undefined);
}

/** `2026-11-21` → `21 Nov`. */
function dayText(label: string): string {
  return new Date(label).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

function summary(series: readonly string[], points: readonly Point[]): string {
  return series.map((name, at) => {
    const sum = points.reduce((total, { values }) => total + (values[at] ?? 0), 0);
    return `${count(sum)} ${name}`;
  }).join(", ");
}
