/** `GET /-/setup`: for each client the exact lines for this address, organisation and caller, to copy. */
import { htmlPage, jsonPage, textPage } from "../page.tsx";
import { preferredForm } from "../text.ts";
import { SetupForm, type Wrong } from "./form.tsx";
import { showClient, type ShownClient } from "./steps.ts";
import { setupText } from "./text.ts";
import {
  basicSentence,
  LOGIN_LEAD,
  placeName,
  powerShellLines,
  SCRIPTS_LEAD,
  type SetupPage,
  shellLines,
  type Shown,
  whoSentence,
} from "./words.ts";

/** `format` as `?format=` has it: HTML for a browser, JSON where asked for, text for everybody else. */
export function formOf(format: string | null, accept: string | null): "json" | "html" | "text" {
  return format === "json" || format === "html" || format === "text" ? format : preferredForm(accept);
}

/** `wrong`: what was asked for and cannot be, which a browser shows beside its field. */
export async function setupPage(
  form: "json" | "html" | "text",
  page: SetupPage,
  wrong: Wrong | null = null,
): Promise<Response> {
  const shown = page.query.mounts.map((mount) => ({
    mount,
    clients: mount.clients.map((client) => showClient(client, page.query)),
  }));
  switch (form) {
    case "json":
      return jsonPage(setupJson(shown, page));
    case "html":
      return await setupHtml(shown, page, wrong);
    case "text":
      return textPage(setupText(shown, page));
  }
}

function setupJson(shown: readonly Shown[], { organisation, site, query, tokens }: SetupPage) {
  const { caller: { by, isAsked }, user } = query;
  return {
    address: `${site}/`,
    organisation,
    by,
    isAsked,
    user,
    tokens,
    scripts: { sh: `${site}/-/setup.sh`, ps1: `${site}/-/setup.ps1` },
    ecosystems: shown.map(({ mount: { id }, clients }) => ({ id, address: `${site}/${id}/`, clients })),
  };
}

async function setupHtml(shown: readonly Shown[], page: SetupPage, wrong: Wrong | null): Promise<Response> {
  const { query, site, prefix } = page;
  const basic = basicSentence(shown);
  return await htmlPage({
    title: "Sluice: set-up",
    prefix,
    status: wrong === null ? 200 : 400,
    children: (
      <div class="setup">
        <h1>Set-up</h1>
        <p class="lead">
          <Linked text={whoSentence(page)} address={page.tokens} />
        </p>
        {basic === null ? null : <p class="lead">{basic}</p>}
        <p class="lead">One click selects all that a box holds.</p>
        <SetupForm query={query} action={`${site}/-/setup`} wrong={wrong} />
        <nav>
          {shown.map(({ mount }) => <a href={`#${mount.id}`}>{mount.title}</a>)}
          <a href="#machines">Whole machines</a>
        </nav>
        {shown.map(({ mount, clients }) => (
          <section>
            <h2 id={mount.id}>{mount.title}</h2>
            {clients.map((client) => <ClientPart client={client} />)}
          </section>
        ))}
        <section>
          <h2 id="machines">Whole machines</h2>
          <p>{SCRIPTS_LEAD}</p>
          <dl>
            <CopyPart title="macOS, Linux" text={shellLines(page)} />
            <CopyPart title="Windows" text={powerShellLines(page)} />
          </dl>
        </section>
        <footer>
          <a href={`${site}/`}>Sluice</a>
          <a href={`${site}/-/setup.sh`}>setup.sh</a>
          <a href={`${site}/-/setup.ps1`}>setup.ps1</a>
        </footer>
      </div>
    ),
  });
}

function ClientPart({ client }: { readonly client: ShownClient }) {
  const { id, title, command, steps, login, keeps, note, isPerProject } = client;
  const isEither = command !== null && !isPerProject;
  return (
    <section>
      <h3 id={`client-${id}`}>{title}</h3>
      <dl>
        {command === null
          ? null
          : <CopyPart title={isPerProject ? "In each project" : "In a shell"} text={command} />}
        {steps.map(({ where, elsewhere, text, isSecret }) => (
          <CopyPart
            title={`${isEither ? "Or in" : "In"} ${placeName(where)}${
              isSecret ? ", which only you may read" : ""
            }${elsewhere === null ? "" : ` (${elsewhere})`}`}
            text={text}
          />
        ))}
        {login === null ? null : <CopyPart title={`Or, ${LOGIN_LEAD}`} text={login} />}
      </dl>
      {keeps === null ? null : <Remark text={keeps} />}
      {note === null ? null : <Remark text={note} />}
    </section>
  );
}

/** The address in the text, as a link. */
function Linked({ text, address }: { readonly text: string; readonly address: string | null }) {
  const at = address === null ? -1 : text.indexOf(address);
  if (address === null || at === -1) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <a href={address}>{address}</a>
      {text.slice(at + address.length)}
    </>
  );
}

/** What stands between backticks is code. */
function Remark({ text }: { readonly text: string }) {
  return (
    <p class="quiet">
      {text.split("`").map((part, index) => index % 2 === 1 ? <code>{part}</code> : part)}
    </p>
  );
}

/** One click takes the whole of it (`user-select: all`), without a script. */
function CopyPart({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        <pre class="copy" tabindex={0}>{text}</pre>
      </dd>
    </div>
  );
}
