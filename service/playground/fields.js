// The fields of a view: named, checked by the browser, and kept in the address.
import { element } from "./element.js";

export class Fields {
  // `kept` is what the address says; `onChange` hears when all fields hold something that can be asked.
  constructor(kept, onChange) {
    this.kept = kept;
    this.onChange = onChange;
    this.inputs = new Map();
    this.place = element("div", { class: "fields" });
  }

  number(name, label, { least, most, first, step = 1 }) {
    const input = element("input", { type: "number", min: least, max: most, step, value: this.kept[name] ?? first });
    return this.add(name, label, input, Number);
  }

  range(name, label, { least, most, first, step }) {
    const said = element("output", {});
    const input = element("input", { type: "range", min: least, max: most, step, value: this.kept[name] ?? first });
    const say = () => said.replaceChildren(input.value);
    input.addEventListener("input", say);
    input.addEventListener("put", say);
    this.add(name, [label, " ", said], input, Number);
    say();
    return input;
  }

  // `options` are pairs of a value and what it is called.
  choice(name, label, options, first = options[0][0]) {
    const wanted = this.kept[name] ?? String(first);
    const select = element("select", {}, options.map(([value, called]) => element("option", { value }, called)));
    select.value = options.some(([value]) => String(value) === wanted) ? wanted : String(first);
    return this.add(name, label, select, String);
  }

  add(name, label, input, as) {
    this.inputs.set(name, { input, as });
    input.id = `field-${name}`;
    input.addEventListener("input", () => this.changed());
    this.place.append(element("div", { class: "field" }, element("label", { for: input.id }, label), input));
    return input;
  }

  set(name, value) {
    const { input } = this.inputs.get(name);
    input.value = value;
    input.dispatchEvent(new Event("input"));
  }

  // Set beside others, without a word to `onChange`.
  put(name, value) {
    const { input } = this.inputs.get(name);
    input.value = value;
    input.dispatchEvent(new Event("put"));
  }

  get values() {
    return Object.fromEntries([...this.inputs].map(([name, { input, as }]) => [name, as(input.value)]));
  }

  get areValid() {
    return [...this.inputs.values()].every(({ input }) => input.value !== "" && input.validity.valid);
  }

  changed() {
    for (const { input } of this.inputs.values()) {
      const isWrong = String(!input.validity.valid || input.value === "");
      if (input.getAttribute("aria-invalid") !== isWrong) input.setAttribute("aria-invalid", isWrong);
    }
    if (this.areValid) this.onChange(this.values);
  }
}
