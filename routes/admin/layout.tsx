/** The frame of every admin page: where one is, where one may go, who one is. */
import type { Child } from "hono/jsx";
import { roleIn, type SignedIn } from "../auth/signed_in.ts";
import { htmlPage } from "../page.tsx";
import { type AdminPage, isFor, type PageContext, type View } from "./page.ts";
import { Notice } from "./ui.tsx";

/** A page with the organisation's menu beside it. */
export async function adminPage(options: {
  readonly page: AdminPage;
  readonly pages: readonly AdminPage[];
  readonly context: PageContext;
  readonly view: Extract<View, { kind: "page" }>;
}): Promise<Response> {
  const { page, pages, context, view } = options;
  const { organisation, member, prefix, query } = context;
  const title = view.title ?? page.title;
  const notice = page.notices?.[query.get("done") ?? ""];
  return await htmlPage({
    title: `${title} - ${organisation.id} - Sluice`,
    prefix,
    status: view.status ?? 200,
    frame: (
      <div class="admin">
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <a class="brand" href={context.path([])}>Sluice</a>
          <a class="org" href={`${prefix}/-/admin?all`} title="Other organisations">{organisation.id}</a>
          <SignedInAs member={member} organisation={organisation.id} prefix={prefix} />
        </header>
        <div class="sides">
          <Menu pages={pages} page={page} context={context} />
          <main id="content" tabindex={-1}>
            <h1>{title}</h1>
            {notice === undefined ? null : <Notice kind="good">{notice}</Notice>}
            {view.body}
          </main>
        </div>
      </div>
    ),
  });
}

/** A page of no organisation: who may not go on, who has to choose. */
export async function plainPage(options: {
  readonly title: string;
  readonly body: Child;
  readonly prefix: string;
  /** null: nobody is signed in. */
  readonly member: SignedIn | null;
  readonly status: number;
}): Promise<Response> {
  const { title, body, prefix, member, status } = options;
  return await htmlPage({
    title: `${title} - Sluice`,
    prefix,
    status,
    frame: (
      <div class="admin">
        <header class="top">
          <a class="brand" href={`${prefix}/-/admin`}>Sluice</a>
          {member === null ? null : <SignedInAs member={member} organisation={null} prefix={prefix} />}
        </header>
        <main id="content">
          <h1>{title}</h1>
          {body}
        </main>
      </div>
    ),
  });
}

/** Open where there is room beside the page, whatever its state (the stylesheet says so); else folded. */
function Menu({ pages, page, context }: {
  readonly pages: readonly AdminPage[];
  readonly page: AdminPage;
  readonly context: PageContext;
}) {
  const [current] = page.path.split("/");
  const shown = pages.filter((each) => each.isInMenu === true && isFor(each, context));
  return (
    <nav class="menu" aria-label="Pages">
      <details>
        <summary>Pages</summary>
        <div class="pages">
          {shown.map(({ path, title }) => (
            <a href={context.path(path.split("/"))} aria-current={path === current ? "page" : undefined}>
              {title}
            </a>
          ))}
        </div>
      </details>
    </nav>
  );
}

function SignedInAs({ member, organisation, prefix }: {
  readonly member: SignedIn;
  readonly organisation: string | null;
  readonly prefix: string;
}) {
  const role = organisation === null ? null : roleIn(member, organisation);
  return (
    <div class="me">
      <span>
        <a href={`${prefix}/-/auth/sign-out`} title="Your sessions">{member.user}</a>
        {role === null ? null : <span class="quiet">, {role}</span>}
      </span>
      <form method="post" action={`${prefix}/-/auth/sign-out`}>
        <input type="hidden" name="token" value={member.formToken} />
        <button class="plain" type="submit">Sign out</button>
      </form>
    </div>
  );
}
