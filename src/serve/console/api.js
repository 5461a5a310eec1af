// Asking the service: the key, errors in one shape, and only the latest answer of each kind.

const KEY = "goodwill-key";
const underway = new Map();
let askForKey = async () => null;
let working = () => {};

/** An answer that is no success, with what the service said about it. */
export class Refused extends Error {
  constructor(status, told, retryAfter) {
    super(told.message ?? "");
    Object.assign(this, {
      status,
      code: told.code ?? (status ? "unexpected" : "unreachable"),
      details: told.details ?? [],
      requestId: told.request_id ?? "",
      retryAfter,
    });
  }
}

/** Who asks people for a key (again: the last one was refused), and who shows that we wait. */
export function prepare({ key, progress }) {
  askForKey = shared(key);
  working = progress;
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;
export const forgetKey = () => sessionStorage.removeItem(KEY);

/**
 * The answer of the service. A newer question of the same kind ends an older one, whose promise then
 * rejects with an AbortError (`isStale`).
 */
export async function ask(kind, path, body = null) {
  underway.get(kind)?.abort();
  const control = new AbortController();
  underway.set(kind, control);
  working(+1);
  try {
    return await answered(path, body, control.signal);
  } finally {
    working(-1);
    if (underway.get(kind) === control) underway.delete(kind);
  }
}

/** Whether an error only says that a newer question was asked. */
export const isStale = (error) => error.name === "AbortError";

/** Ends a question whose answer nobody waits for any more. */
export const dropped = (kind) => underway.get(kind)?.abort();

async function answered(path, body, signal) {
  const used = sessionStorage.getItem(KEY);
  const answer = await fetched(path, body, used, signal);
  const told = await answer.json().catch(() => ({}));
  signal.throwIfAborted();
  if (answer.ok) return told;
  if (answer.status === 401) {
    // A key that somebody gave while this answer was on its way is tried before asking for one.
    const other = sessionStorage.getItem(KEY);
    const key = other !== used ? other : await askForKey(used !== null);
    signal.throwIfAborted();
    if (key) {
      sessionStorage.setItem(KEY, key);
      return answered(path, body, signal);
    }
  }
  throw new Refused(answer.status, told.error ?? {}, answer.headers.get("Retry-After"));
}

async function fetched(path, body, key, signal) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const sent = body ? { method: "POST", body: JSON.stringify(body) } : {};
  try {
    return await fetch(path, { ...sent, headers, signal, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (isStale(error)) throw error;
    throw new Refused(0, {}, null);
  }
}

/** One question at a time: who asks meanwhile gets the same answer. */
function shared(call) {
  let pending = null;
  return (again) => {
    pending ??= call(again).finally(() => {
      pending = null;
    });
    return pending;
  };
}
