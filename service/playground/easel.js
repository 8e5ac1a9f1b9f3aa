// A pad with all that puts a picture on it: an example, a file, nothing.
import { takePictures } from "./dropzone.js";
import { element } from "./element.js";
import { examplesOf, sourceOf } from "./examples.js";
import { Pad } from "./pad.js";
import { sharesOf } from "./picture.js";

export class Easel {
  // `onChange(isAtRest)` hears of every change.
  constructor(view, onChange) {
    this.view = view;
    this.onChange = onChange;
    this.pad = new Pad(view.model, () => onChange(false), () => onChange(true));
    const clear = () => {
      this.pad.clear();
      onChange(true);
    };
    const take = (file) => this.take(file).catch(view.tell);
    this.place = element("div", { class: "easel" },
      this.pad.place,
      element("div", { class: "row" }, element("button", { type: "button", onclick: clear }, "Clear")),
      takePictures(this.pad.place, "A picture instead", take));
  }

  // What was drawn before, else an example.
  async begin(seed, label) {
    if (!Pad.isKept(this.view.model)) await this.putExample(seed, label);
    this.onChange(true);
  }

  async putExample(seed, label) {
    const source = await sourceOf(this.view);
    if (!source) return;
    const [low, high] = source.x.range;
    const drawn = await examplesOf(this.view.api, source, { seed, rows: 1, label: label ?? "each" });
    this.pad.put(Array.from(drawn.row(0), (value) => (value - low) / (high - low)));
  }

  async take(file) {
    this.pad.keep(await sharesOf(file, this.view.model));
    this.onChange(true);
  }
}
