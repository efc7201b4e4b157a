/** What saving would do, as the API previewed it. */
import type { PageContext } from "../page.ts";
import { packageAddress } from "../packages/shapes.ts";
import { Notice, Table, Time } from "../ui.tsx";
import { RuleName } from "../words.tsx";
import { count } from "../../text.ts";
import { DRAFT } from "./frame.tsx";

interface Release {
  readonly purl: string;
  readonly rule: string;
  readonly reason: string;
}

interface Asked extends Release {
  readonly times: number;
  readonly userCount: number;
  readonly users: readonly { readonly user: string | null; readonly times: number }[] | null;
  readonly last: string;
}

interface List {
  readonly times: number;
  readonly userCount: number;
  readonly releaseCount: number;
  readonly releases: readonly Asked[];
}

/** As the API has it. */
export interface PolicyPreview {
  readonly since: string;
  readonly packages: {
    readonly looked: number;
    readonly of: number;
    readonly uncached: number;
    readonly more: boolean;
  };
  readonly refused: List;
  readonly allowed: List;
  readonly letGo: {
    readonly releaseCount: number;
    readonly releases: readonly (Release & { readonly heldUntil: string | null })[];
  };
  readonly consequences: readonly string[];
}

interface Shown {
  readonly context: PageContext;
  readonly preview: PolicyPreview;
}

const USERS_SHOWN = 5;

export function PreviewShown({ context, preview }: Shown) {
  const { refused, allowed, letGo, consequences } = preview;
  return (
    <section class="card" aria-label="Preview">
      <h2>What saving would do</h2>
      <p class="quiet">Nothing is saved yet. Compared with the policy in force:</p>
      {consequences.map((sentence) => <Notice kind="note">{sentence}</Notice>)}
      <dl class="figures">
        <Figure what="installs would have been refused" value={refused.times} />
        <Figure what="users would have met a refusal" value={refused.userCount} />
        <Figure what="refusals would have been let through" value={allowed.times} />
        <Figure what="held releases would be let go" value={letGo.releaseCount} />
      </dl>
      <Releases context={context} list={refused} title="Would have been refused" what="Installs" />
      <Releases context={context} list={allowed} title="Would have been let through" what="Refusals" />
      <LetGo context={context} preview={preview} />
      <Bounds preview={preview} />
      <div class="buttons">
        <button type="submit" form={DRAFT} name="do" value="save">Save it</button>
      </div>
    </section>
  );
}

function Figure({ what, value }: { readonly what: string; readonly value: number }) {
  return (
    <div>
      <dt>{what}</dt>
      <dd>{count(value)}</dd>
    </div>
  );
}

function Releases({ context, list, title, what }: {
  readonly context: PageContext;
  readonly list: List;
  readonly title: string;
  readonly what: string;
}) {
  if (list.releaseCount === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <Table
        caption={title}
        rows={list.releases}
        columns={[
          { title: "Release", cell: ({ purl }) => <ReleaseLink context={context} purl={purl} /> },
          { title: "Why", cell: (release) => <Why release={release} /> },
          { title: what, isNumber: true, cell: ({ times }) => count(times) },
          { title: "By", cell: (release) => <Users release={release} /> },
          { title: "Last", cell: ({ last }) => <Time at={last} now={context.now} /> },
        ]}
      />
      <Cut shown={list.releases.length} all={list.releaseCount} />
    </>
  );
}

function LetGo({ context, preview: { letGo } }: Shown) {
  if (letGo.releaseCount === 0) return null;
  return (
    <>
      <h3>Would be let go</h3>
      <Table
        caption="Held releases that would be let go"
        rows={letGo.releases}
        columns={[
          { title: "Release", cell: ({ purl }) => <ReleaseLink context={context} purl={purl} /> },
          { title: "Held because", cell: (release) => <Why release={release} /> },
          {
            title: "Else until",
            cell: ({ heldUntil }) =>
              heldUntil === null ? "not by itself" : <Time at={heldUntil} now={context.now} />,
          },
        ]}
      />
      <Cut shown={letGo.releases.length} all={letGo.releaseCount} />
    </>
  );
}

function Bounds({ preview: { packages, since } }: Pick<Shown, "preview">) {
  const { looked, of, uncached, more } = packages;
  return (
    <p class="quiet">
      Looked at {count(looked)} of the {more ? "more than " : ""}
      {count(of)} packages that were asked for, by index or file, since{" "}
      <time datetime={since}>{since.slice(0, 10)}</time>, the last asked for first
      {uncached === 0 ? "" : `; of ${count(uncached)} of them nothing is cached any more`}. Decided on what is
      cached, to the day.
      {looked < of ? " There was no time for the rest." : ""}
    </p>
  );
}

function ReleaseLink({ context, purl }: { readonly context: PageContext; readonly purl: string }) {
  return <a class="mono" href={packageAddress(context, purl)}>{purl}</a>;
}

function Why({ release: { rule, reason } }: { readonly release: Release }) {
  return (
    <>
      {reason}
      <div class="quiet">
        <RuleName rule={rule} />
      </div>
    </>
  );
}

function Users({ release: { users, userCount } }: { readonly release: Asked }) {
  if (users === null) return <>{count(userCount)}</>;
  const named = users.slice(0, USERS_SHOWN);
  const more = userCount - named.length;
  return (
    <>
      {named.map(({ user, times }) => `${user ?? "(nobody)"} (${count(times)})`).join(", ")}
      {more > 0 ? ` and ${count(more)} more` : ""}
    </>
  );
}

function Cut({ shown, all }: { readonly shown: number; readonly all: number }) {
  return shown < all ? <p class="quiet">and {count(all - shown)} more releases</p> : null;
}
