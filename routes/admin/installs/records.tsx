/** Records of the install log, each with a way to what it is about. */
import type { PageContext } from "../page.ts";
import { Badge, Table, Time } from "../ui.tsx";
import { RuleName } from "../words.tsx";
import { sizeText } from "../../../storage/cache/size_text.ts";
import { OUTCOMES } from "./filters.tsx";

export interface Install {
  readonly at: string;
  readonly user: string | null;
  readonly address: string;
  readonly client: string;
  readonly clientVersion: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  readonly outcome: "served" | "partial" | "refused" | "observed";
  readonly rule: string;
  readonly decisionId: string;
}

export function Records(
  { context, installs }: { readonly context: PageContext; readonly installs: readonly Install[] },
) {
  const { now } = context;
  return (
    <Table
      caption="Installs, the newest first"
      rows={installs}
      columns={[
        { title: "When", cell: ({ at }) => <Time at={at} now={now} /> },
        { title: "Package", cell: (install) => <Package context={context} install={install} /> },
        { title: "User", cell: (install) => <User context={context} install={install} /> },
        { title: "Client", cell: ({ client, clientVersion }) => `${client} ${clientVersion}` },
        { title: "Outcome", cell: (install) => <Outcome context={context} install={install} /> },
        {
          title: "Size",
          cell: ({ bytes, outcome }) => (outcome === "refused" ? "" : sizeText(bytes)),
          isNumber: true,
        },
      ]}
    />
  );
}

function Package({ context, install }: { readonly context: PageContext; readonly install: Install }) {
  const { ecosystem, package: name, version, file } = install;
  return (
    <>
      <a href={context.path(["installs", "who"], { ecosystem, package: name, version })}>{name} {version}</a>
      <div class="quiet">{ecosystem}, {file}</div>
    </>
  );
}

function User(
  { context, install: { user, address } }: { readonly context: PageContext; readonly install: Install },
) {
  return (
    <>
      {user === null
        ? <span class="quiet">no name</span>
        : <a href={context.path(["installs"], { user })}>{user}</a>}
      <div class="quiet">{address}</div>
    </>
  );
}

function Outcome({ context, install }: { readonly context: PageContext; readonly install: Install }) {
  const { outcome, rule, ecosystem, package: name, version, decisionId } = install;
  const { word, tone } = OUTCOMES[outcome];
  const why = whyAddress(context, { ecosystem, name, version, decisionId });
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {rule === "" ? null : (
        <div class="quiet">
          {why === null ? <RuleName rule={rule} /> : (
            <a href={why}>
              <RuleName rule={rule} />
            </a>
          )}
        </div>
      )}
    </>
  );
}

/** The why page of one install's decision; null: it was of no version, or of no ecosystem of ours. */
function whyAddress({ site, purlType }: PageContext, { ecosystem, name, version, decisionId }: {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly decisionId: string;
}): string | null {
  const type = purlType(ecosystem);
  if (version === "" || type === undefined) return null;
  const path = [...name.split("/").slice(0, -1), `${name.split("/").at(-1)}@${version}`].map(
    encodeURIComponent,
  );
  return `${site}/-/why/pkg:${type}/${path.join("/")}?${new URLSearchParams({ decision: decisionId })}`;
}
