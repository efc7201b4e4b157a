/** What goes wrong between Sluice and a provider, in words for the person who stands before it. */
import * as oauth from "oauth4webapi";
import { UpstreamError } from "../errors.ts";
import { IdentityProviderError, SignInError } from "./provider.ts";

/** Mistakes in how the two are set up, which nobody can mend who only signs in. */
const SETUP: Readonly<Record<string, string>> = {
  redirect_uri_mismatch: "the callback address that is registered there is another one",
  incorrect_client_credentials: "it does not know this client id and secret",
  invalid_client: "it does not know this client id and secret",
  unauthorized_client: "it does not let this client sign people in",
  invalid_scope: "it does not know one of the scopes that are asked for",
  unsupported_response_type: "it does not offer the authorization code flow to this client",
  application_suspended: "the application is suspended there",
  server_error: "it failed",
  temporarily_unavailable: "it is busy",
};

/** `title`: the provider's. What is no failure of the two is handed back. */
export function troubleOf(error: unknown, title: string): unknown {
  if (error instanceof SignInError || error instanceof IdentityProviderError) return error;
  if (error instanceof oauth.AuthorizationResponseError) {
    return ofCode(error.error, { title, said: error.error_description, cause: error });
  }
  if (error instanceof oauth.ResponseBodyError) {
    return ofCode(error.error, { title, said: error.error_description, cause: error });
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new IdentityProviderError(`${title} answered with status ${error.status}.`, { cause: error });
  }
  if (error instanceof UpstreamError) {
    return new IdentityProviderError(`${title} cannot be asked: ${error.message}.`, { cause: error });
  }
  const isUnread = error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError;
  if (!isUnread) return error;
  return new SignInError(
    "refused",
    `What ${title} answered cannot be relied on: ${oneLine(error.message)}.`,
    {
      cause: error,
    },
  );
}

/** Nobody signs in: whatever it is, it is not the fault of whoever's session it is. */
export function asProviderTrouble(error: unknown): unknown {
  return error instanceof SignInError ? new IdentityProviderError(error.message, { cause: error }) : error;
}

function ofCode(
  code: string,
  { title, said, cause }: {
    readonly title: string;
    readonly said: string | undefined;
    readonly cause: unknown;
  },
): Error {
  if (code === "access_denied") {
    return new SignInError("denied", `At ${title}, the sign-in was not agreed to.`, { cause });
  }
  const words = said === undefined || said === "" ? oneLine(code) : `${oneLine(code)}: ${oneLine(said)}`;
  const setup = Object.hasOwn(SETUP, code) ? SETUP[code] : undefined;
  if (setup !== undefined) {
    return new IdentityProviderError(`${title} refuses: ${setup} (${words}).`, { cause });
  }
  return new SignInError("refused", `${title} refuses this sign-in (${words}): begin again.`, { cause });
}

/** Somebody else's text, to be shown. */
function oneLine(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim().slice(0, 200).replace(
    /\.$/,
    "",
  );
}
