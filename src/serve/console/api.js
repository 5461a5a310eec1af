// Requests to the service: API key, one kind of error, and only the latest answer of each kind.

const KEY = "goodwill-key";
const underway = new Map();
let askForKey = async () => null;
let working = () => {};

/** An error answer of the service. */
export class RequestError extends Error {
  constructor(status, error, retryAfter) {
    super(error.message ?? "");
    Object.assign(this, {
      status,
      code: error.code ?? (status ? "unexpected" : "unreachable"),
      details: error.details ?? [],
      requestId: error.request_id ?? "",
      retryAfter,
    });
  }
}

/** Registers the dialog that asks for a key, and the progress indicator. */
export function prepare({ key, progress }) {
  askForKey = shared(key);
  working = progress;
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;
export const forgetKey = () => sessionStorage.removeItem(KEY);

/**
 * Requests an answer of the service. A newer request of the same kind aborts an older one, whose promise
 * then rejects with an AbortError (`isStale`).
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

/** Whether an error only means that a newer request replaced this one. */
export const isStale = (error) => error.name === "AbortError";

/** Aborts a request whose answer is no longer needed. */
export const dropped = (kind) => underway.get(kind)?.abort();

async function answered(path, body, signal) {
  const used = sessionStorage.getItem(KEY);
  const answer = await fetched(path, body, used, signal);
  const content = await answer.json().catch(() => ({}));
  signal.throwIfAborted();
  if (answer.ok) return content;
  if (answer.status === 401) {
    // A key entered while this request was running is tried before asking again.
    const other = sessionStorage.getItem(KEY);
    const key = other !== used ? other : await askForKey(used !== null);
    signal.throwIfAborted();
    if (key) {
      sessionStorage.setItem(KEY, key);
      return answered(path, body, signal);
    }
  }
  throw new RequestError(answer.status, content.error ?? {}, answer.headers.get("Retry-After"));
}

async function fetched(path, body, key, signal) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const sent = body ? { method: "POST", body: JSON.stringify(body) } : {};
  try {
    return await fetch(path, { ...sent, headers, signal, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (isStale(error)) throw error;
    throw new RequestError(0, {}, null);
  }
}

/** Runs one call at a time; callers meanwhile share its result. */
function shared(call) {
  let pending = null;
  return (again) => {
    pending ??= call(again).finally(() => {
      pending = null;
    });
    return pending;
  };
}
