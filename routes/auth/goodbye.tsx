/** One's own sessions, as a page. */
import type { EpochMs } from "../../policy/types.ts";
import type { Session } from "../../storage/sessions.ts";
import { Table, Time } from "../admin/ui.tsx";
import { doorPage } from "./door.tsx";
import type { SignedIn } from "./signed_in.ts";

/** With the two ways out. Asks once more: a link alone signs nobody out. */
export async function goodbyePage(options: {
  readonly prefix: string;
  readonly member: SignedIn;
  readonly sessions: readonly Session[];
  readonly now: EpochMs;
}): Promise<Response> {
  const { prefix, member, sessions, now } = options;
  const action = `${prefix}/-/auth/sign-out`;
  return await doorPage({
    title: "Your sessions",
    prefix,
    status: 200,
    body: (
      <>
        <p class="lead">
          You are signed in as{" "}
          <b>{member.user}</b>. A session ends after eight hours without a request, and seven days after the
          sign-in.
        </p>
        <Table
          caption="Your sessions"
          rows={sessions}
          columns={[
            {
              title: "Signed in",
              cell: ({ id, createdAt }) => (
                <>
                  <Time at={createdAt} now={now} />
                  {id === member.sessionId ? <div class="quiet">this browser</div> : null}
                </>
              ),
            },
            { title: "Last used", cell: ({ usedAt }) => <Time at={usedAt} now={now} /> },
          ]}
        />
        <div class="buttons">
          <form method="post" action={action}>
            <input type="hidden" name="token" value={member.formToken} />
            <button type="submit">Sign out</button>
          </form>
          <form method="post" action={action}>
            <input type="hidden" name="token" value={member.formToken} />
            <input type="hidden" name="everywhere" value="yes" />
            <button class="quiet" type="submit">Sign out everywhere</button>
          </form>
          <a href={`${prefix}/-/admin`}>Back</a>
        </div>
      </>
    ),
  });
}
