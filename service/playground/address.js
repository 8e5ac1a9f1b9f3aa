// What is looked at, as the address says it: #/model/view?field=value.
export function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [model = "", view = ""] = path.split("/").map(decodeURIComponent);
  return { model, view, fields: Object.fromEntries(new URLSearchParams(query)) };
}

// Another model or view is a step to go back from; another number is not.
export function write({ model, view, fields }, isStep = false) {
  const query = new URLSearchParams(fields).toString();
  const hash = `#/${encodeURIComponent(model)}/${view}${query && `?${query}`}`;
  if (hash === location.hash) return;
  history[isStep ? "pushState" : "replaceState"](null, "", hash);
}
