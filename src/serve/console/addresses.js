// Addresses of views. They begin with "#", which browsers never send to a server; filters follow a "?".

/** What the call list can be filtered by. */
export const FILTERS = ["owner", "region", "tier", "stage"];

/** The address of the call list, or of the movers, with filters; empty ones are left out. */
export function listAddress(view, filters) {
  const known = Object.entries(filters).filter(([, value]) => value);
  const query = new URLSearchParams(known).toString();
  return `#${view}${query ? `?${query}` : ""}`;
}

export const customerAddress = (id) => `#customer/${encodeURIComponent(id)}`;

/** The view that the address names, its parameter, and its filters. */
export function readAddress() {
  const [path, query] = location.hash.slice(1).split(/\?(.*)/s);
  const [name, rest] = path.split(/\/(.*)/s);
  const given = new URLSearchParams(query ?? "");
  const filters = Object.fromEntries([...FILTERS, "by"].map((key) => [key, given.get(key) ?? ""]));
  try {
    return { name: name || "calls", rest: decodeURIComponent(rest ?? ""), filters };
  } catch {
    return { name: "calls", rest: "", filters };
  }
}
