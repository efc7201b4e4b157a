/** Project names (PyPA, "Names and normalization"; PEP 503). The normalised form is the registry-exact one. */

const MAX_NAME = 200;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** True for every legal spelling of a name, normalised or not. */
export function isProjectName(text: string): boolean {
  return text.length <= MAX_NAME && NAME.test(text);
}

/** `Flask_SQLAlchemy` → `flask-sqlalchemy`. Total: what is no name is folded as well. */
export function normaliseName(text: string): string {
  return text.replace(/[-_.]+/g, "-").toLowerCase();
}
