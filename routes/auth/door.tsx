/** The frame of the pages before one is in: no menu, one column. */
import type { Child } from "hono/jsx";
import { htmlPage } from "../page.tsx";

/** `body` goes below the heading, which is the title. */
export async function doorPage(options: {
  readonly title: string;
  readonly prefix: string;
  readonly status: number;
  readonly body: Child;
}): Promise<Response> {
  const { title, prefix, status, body } = options;
  return await htmlPage({
    title: `${title} - Sluice`,
    prefix,
    status,
    frame: (
      <div class="admin">
        <header class="top">
          <a class="brand" href={`${prefix}/`}>Sluice</a>
        </header>
        <main id="content" class="door">
          <h1>{title}</h1>
          {body}
        </main>
      </div>
    ),
  });
}
