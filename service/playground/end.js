// One end of a path: the sample of a seed, or a picture that was dropped there.
import { can } from "./capability.js";
import { takePictures } from "./dropzone.js";
import { element } from "./element.js";
import { examplesOf } from "./examples.js";
import { canvasOf, isImage, nested, paint, valuesOf } from "./image.js";
import { sharesOf } from "./picture.js";

export class End {
  // `source` is the model whose sample stands there until a picture comes.
  constructor(view, source, called, onChange) {
    Object.assign(this, { view, source, onChange });
    this.place = element("div", { class: "end", role: "group", "aria-label": called });
    this.said = element("p", {});
    if (!isImage(view.model)) return;
    this.canvas = canvasOf(view.model, null, called);
    this.place.append(this.canvas);
    if (can(view.model, "encode")) {
      const take = (file) => this.take(file).catch(view.tell);
      this.place.append(takePictures(this.place, `A picture for ${called.toLowerCase()}`, take));
    }
    this.place.append(this.said);
  }

  async take(file) {
    this.x = valuesOf(this.view.model, await sharesOf(file, this.view.model));
    this.called = file.name;
    this.onChange();
  }

  // The sample of a seed takes the place of a picture.
  drop() {
    this.x = null;
  }

  // What a request says of this end.
  async asked(seed, values, signal) {
    const { model, api } = this.view;
    const label = values.label ?? "each";
    if (this.x) return this.shown(this.x, `${this.called}, encoded`);
    if (can(model, "sample")) return { seed };
    const drawn = await examplesOf(api, this.source, { seed, rows: 1, label }, signal);
    return this.shown(drawn.row(0), `sample ${seed} of ${this.source.name}, encoded: ${model.name} cannot sample`);
  }

  shown(x, text) {
    this.said.textContent = text;
    return { x: nested(x, this.view.model.shapes.x) };
  }

  // The picture at this end of the path.
  show(row, seed) {
    if (this.canvas) paint(this.canvas, this.view.model, this.x ?? row);
    if (!this.x && can(this.view.model, "sample")) this.said.textContent = `the sample of seed ${seed}`;
  }
}
