// The page, put together: a model, the views that it can fill, and what was asked.
import * as address from "./address.js";
import { Api } from "./api.js";
import { Curl } from "./curl.js";
import { element } from "./element.js";
import { askForKey } from "./keydialog.js";
import { Picker } from "./picker.js";
import { VIEWS } from "./views.js";

const place = (id) => document.getElementById(id);
const FIRST = "vae-mnist";

const curl = new Curl(place("curl"));
const api = new Api((question) => curl.show(question), askForKey);
const picker = new Picker(place("picker"), api, (name) => go({ model: name, fields: {} }), relist);

let shown = { model: "", view: "", fields: {} };
let stop = () => {};
let turn = 0;

function tell(error) {
  place("problem").hidden = !error;
  place("problem").textContent = error ? error.message : "";
}

function go(change) {
  address.write({ ...shown, ...change }, true);
  return follow();
}

// Show what the address says, or the nearest thing to it that there is.
async function follow() {
  const wanted = address.read();
  const entry = picker.find(wanted.model) ?? picker.find(FIRST) ?? picker.serving[0];
  if (!entry) return tell(new Error("No model serves yet; this page will show the first that does."));
  const mine = ++turn;
  const { hash } = location;
  stop();
  stop = () => {};
  try {
    tell(null);
    const model = await api.model(entry);
    if (mine !== turn || location.hash !== hash) return; // somebody has gone on
    const views = VIEWS.filter((view) => view.can(model));
    const view = views.find(({ name }) => name === wanted.view) ?? views[0];
    const isOther = wanted.model && (entry.name !== wanted.model || (wanted.view && view.name !== wanted.view));
    shown = { model: entry.name, view: view.name, fields: isOther ? {} : wanted.fields };
    address.write(shown);
    show(view, views, model, mine);
  } catch (error) {
    tell(error);
  }
}

function show(view, views, model, mine) {
  picker.show(model.name);
  document.title = `${view.title} · ${model.name} · Reparam`;
  place("views").replaceChildren(...views.map((other) => link(other, view)));
  place("intro").replaceChildren(element("h1", {}, view.title), element("p", {}, view.caption(model)));
  place("controls").replaceChildren();
  place("display").replaceChildren();
  stop = view.show({
    api,
    model,
    others: picker.serving,
    fields: shown.fields,
    controls: place("controls"),
    display: place("display"),
    keep: (fields) => mine === turn && keep(fields),
    tell: (error) => mine === turn && tell(error),
  });
}

// The address has the fields of the view that is shown, unless somebody has gone on.
function keep(fields) {
  const { model, view } = address.read();
  if (model !== shown.model || view !== shown.view) return;
  shown.fields = { ...shown.fields, ...fields };
  address.write(shown);
}

function link(other, view) {
  const href = `#/${encodeURIComponent(shown.model)}/${other.name}`;
  return element("a", { href, "aria-current": other === view ? "page" : null }, other.title);
}

function relist() {
  if (!picker.find(shown.model)) follow();
}

window.addEventListener("hashchange", follow);
picker.watch().catch(tell);
