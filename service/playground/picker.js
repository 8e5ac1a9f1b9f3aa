// The choice of a model, which follows what the service has: new models appear by themselves.
import { element } from "./element.js";

const MILLISECONDS = 3000; // between two looks

export class Picker {
  constructor(place, api, onPick, onList) {
    this.api = api;
    this.onList = onList;
    this.select = element("select", { id: "model", oninput: () => onPick(this.select.value) });
    this.news = element("p", { class: "news", role: "status" });
    place.append(element("label", { for: "model" }, "Model"), this.select, this.news);
    this.listed = "";
    this.models = [];
  }

  // The newest version of each model that serves.
  get serving() {
    const newest = new Map();
    for (const model of this.models) {
      const known = newest.get(model.name);
      if (model.state === "READY" && !(known && Number(known.version) > Number(model.version))) newest.set(model.name, model);
    }
    return [...newest.values()];
  }

  find(name) {
    return this.serving.find((model) => model.name === name);
  }

  // Looks now, and from then on every few seconds while somebody does.
  async watch() {
    await this.look();
    setInterval(() => document.hidden || this.look().catch(() => {}), MILLISECONDS);
  }

  async look() {
    this.models = await this.api.models();
    const listed = JSON.stringify(this.serving);
    if (listed === this.listed) return;
    const known = new Set([...this.select.options].map((option) => option.value));
    const added = this.serving.filter((model) => !known.has(model.name)).map((model) => model.name);
    if (this.listed && added.length) this.news.textContent = `New: ${added.join(", ")}`;
    this.listed = listed;
    const shown = this.select.value;
    this.select.replaceChildren(...this.serving.map(({ name }) => element("option", { value: name }, name)));
    if (this.find(shown)) this.select.value = shown;
    this.onList();
  }

  show(name) {
    this.select.value = name;
  }
}
