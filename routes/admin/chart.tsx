/** Bars over time, made on the server; with the same numbers as a table for those who read one. */
import { count } from "../text.ts";

export interface Point {
  /** `2026-11-21` */
  readonly label: string;
  /** One for each series; the second stands on top of the first. */
  readonly values: readonly number[];
}

const WIDTH = 480;
const HEIGHT = 130;
const BOTTOM = 18;
const TOP = 14;

/** At most two series. Without tones the second is what went wrong. */
export function Chart({ title, series, points, tones = ["good", "bad"] }: {
  readonly title: string;
  readonly series: readonly string[];
  readonly points: readonly Point[];
  readonly tones?: readonly ("good" | "plain" | "bad")[];
}) {
  const totals = points.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(1, ...totals);
  const step = WIDTH / Math.max(1, points.length);
  const high = (value: number) => (HEIGHT - TOP - BOTTOM) * value / most;
  return (
    <figure class="card">
      <figcaption>
        {title}
        <span class="quiet">
          {series.map((name, at) => (
            <span>
              <span class={`legend ${tones[at]}`} />
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        class="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${title}: ${summary(series, points)}`}
      >
        <line class="grid-line" x1="0" x2={WIDTH} y1={TOP} y2={TOP} />
        <line class="grid-line" x1="0" x2={WIDTH} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        <text x="0" y={TOP - 3}>{count(most)}</text>
        {points.map(({ label, values }, index) => {
          let base = HEIGHT - BOTTOM;
          return (
            <g>
              <title>
                {`${label}: ${values.map((value, at) => `${count(value)} ${series[at]}`).join(", ")}`}
              </title>
              <rect class="hover" x={index * step} y={TOP} width={step} height={HEIGHT - TOP - BOTTOM} />
              {values.map((value, at) => {
                base -= high(value);
                return (
                  <rect
                    class={`bar ${tones[at]}`}
                    x={(index * step + step * 0.15).toFixed(1)}
                    y={base.toFixed(1)}
                    width={(step * 0.7).toFixed(1)}
                    height={high(value).toFixed(1)}
                  />
                );
              })}
            </g>
          );
        })}
        <text x="0" y={HEIGHT - 4}>{points[0]?.label ?? ""}</text>
        <text x={WIDTH} y={HEIGHT - 4} text-anchor="end">{points.at(-1)?.label ?? ""}</text>
      </svg>
      <details>
        <summary>As a table</summary>
        <div class="scroll" role="region" aria-label={title} tabindex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Day</th>
                {series.map((name) => <th scope="col" class="number">{name}</th>)}
              </tr>
            </thead>
            <tbody>
              {points.map(({ label, values }) => (
                <tr>
                  <th scope="row">{label}</th>
                  {values.map((value) => <td class="number">{count(value)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function summary(series: readonly string[], points: readonly Point[]): string {
  return series.map((name, at) => {
    const sum = points.reduce((total, { values }) => total + (values[at] ?? 0), 0);
    return `${count(sum)} ${name}`;
  }).join(", ");
}
