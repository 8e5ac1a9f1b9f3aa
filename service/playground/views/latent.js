// Latent plane: drag over a slice of the space of codes and see what each decodes to, as it is dragged.
import { bars } from "../bars.js";
import { can as able, isPlane, shownOutput, takesLabel } from "../capability.js";
import { element } from "../element.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage, paint } from "../image.js";
import { informativeness, ranked } from "../informativeness.js";
import { addLabel, labelOf } from "../labels.js";
import { Latest } from "../latest.js";
import { PlaneMap } from "../map.js";
import { Pace } from "../pace.js";
import { Scatter, pointsOf } from "../scatter.js";
import { Slice } from "../slice.js";

const SIDES = { image: 11, vector: 25 }; // cells of the map a side
const LANES = 4; // questions on their way while dragging

export const name = "latent";
export const title = "Latent plane";
export const can = (model) => able(model, "decode") && model.shapes.z.length === 1 && model.shapes.z[0] > 1 && (isImage(model) || isPlane(model));
export const caption = (model) => {
  const size = model.shapes.z[0];
  const slice = size > 2 ? ` This is a flat slice of the space of codes: two of the ${size} numbers vary, the others stay.` : "";
  const seen = isPlane(model)
    ? " The mesh shows how the generator bends and folds the plane of codes to cover the data."
    : " Drag over it: neighbours look alike, and between two that somebody drew lie some that nobody did.";
  return `The decoder turns a code of ${size} numbers into an example.${slice}${seen}`;
};

export function show(view) {
  const plane = new Plane(view);
  plane.start().catch((error) => error.name === "AbortError" || view.tell(error));
  return () => plane.stop();
}

class Plane {
  constructor(view) {
    this.view = view;
    this.model = view.model;
    this.aborting = new AbortController();
    this.pace = new Pace();
    this.looking = new Latest((at, signal) => this.look(at, signal), view.tell, LANES);
    this.asked = this.seen = 0;
    this.mapping = new Latest((values, signal) => this.map(values, signal), view.tell);
  }

  stop() {
    this.aborting.abort();
    this.looking.stop();
    this.mapping.stop();
  }

  async start() {
    this.measured = await informativeness(this.view, this.aborting.signal);
    if (this.aborting.signal.aborted) return;
    this.order = this.measured ? ranked(this.measured.values) : Array.from({ length: this.model.shapes.z[0] }, (_, d) => d);
    this.build();
    await this.mapping.want(this.fields.values);
  }

  build() {
    const { view, model } = this;
    this.fields = new Fields(view.fields, (values) => this.changed(values));
    const named = this.order.map((d) => [String(d), this.measured ? `${d}: ${this.told(d)}` : `dimension ${d}`]);
    this.fields.choice("across", "Across", named, this.order[0]);
    this.fields.choice("up", "Up", named, this.order[1]);
    this.fields.range("u", "Across at", { least: -1, most: 1, step: 0.01, first: 0 });
    this.fields.range("v", "Up at", { least: -1, most: 1, step: 0.01, first: 0 });
    this.fields.number("reach", "Reach of the slice, ±", { least: 0.5, most: 50, step: 0.5, first: 3 });
    if (able(model, "sample")) this.fields.choice("through", "Through", [["origin", "zero"], ...[1, 2, 3].map((seed) => [String(seed), `the code of sample ${seed}`])]);
    if (takesLabel(model, "decode")) addLabel(this.fields, model);
    this.planeMap = new PlaneMap(model, SIDES[model.x.kind], (u, v) => this.move(u, v));
    this.said = element("p", { class: "said" });
    this.information = element("figure", {});
    this.picture = isImage(model) ? canvasOf(model, null, "What the code at the cross decodes to") : null;
    this.scatter = this.picture ? null : new Scatter(model, "Where the generator puts the mesh, among the true modes");
    view.controls.append(this.fields.place, this.information);
    view.display.append(
      element("div", { class: "pair" },
        element("figure", {}, this.planeMap.place, element("figcaption", {}, "Drag here, or move the sliders.")),
        element("figure", { class: "single" }, this.picture ?? this.scatter.canvas, this.said)),
    );
  }

  told(d) {
    return `${this.measured.values[d].toFixed(2)} ${this.measured.kind === "kl" ? "nats" : "variance"}`;
  }

  changed(values) {
    const { u, v, ...others } = values;
    this.keepLater();
    const settings = JSON.stringify(others);
    if (settings === this.settings) this.looking.want({ u, v });
    else this.mapping.insist(values);
  }

  // Browsers refuse an address that changes with every frame.
  keepLater() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.view.keep(this.fields.values), 200);
  }

  move(u, v) {
    this.fields.put("u", u);
    this.fields.put("v", v);
    this.looking.want({ u, v });
    this.keepLater();
  }

  async map(values, signal) {
    const { u, v, ...others } = values;
    this.view.tell(null);
    this.settings = JSON.stringify(others);
    this.slice = new Slice(await this.origin(values.through, values, signal), Number(values.across), Number(values.up), values.reach);
    this.values = values;
    this.inform(values);
    const mesh = await this.decode(this.slice.cells(this.planeMap.side), signal);
    if (this.picture) this.planeMap.pictures(mesh);
    else {
      this.planeMap.mesh();
      this.fold(mesh);
    }
    this.looking.want({ u, v });
  }

  async origin(through, values, signal) {
    if (!through || through === "origin") return new Array(this.model.shapes.z[0]).fill(0);
    const label = takesLabel(this.model, "sample") ? labelOf(this.model, values) : {};
    const body = { seed: Number(through), ...label, outputs: ["z"] };
    return Array.from((await this.view.api.tensor(this.model, "sample", body, signal)).row(0), (value) => Number(value.toFixed(4)));
  }

  inform({ across, up }) {
    if (!this.measured) return;
    const chosen = [Number(across), Number(up)];
    const isKl = this.measured.kind === "kl";
    const what = isKl ? "KL per dimension, in nats" : "Variance of the code per dimension";
    this.information.replaceChildren(
      bars(this.measured.values, this.order, chosen, `${what}, the largest first`),
      element("figcaption", {}, isKl
        ? "KL a dimension, over 64 samples: how much each number of the code says about x. Those near zero the encoder does not use."
        : "Variance of each number of the code over 64 samples. Those near zero tell examples apart by nothing."),
    );
  }

  decode(z, signal) {
    const label = takesLabel(this.model, "decode") ? labelOf(this.model, this.values) : {};
    const body = { z, seed: 0, ...label, outputs: [shownOutput(this.model, "decode")] };
    return this.view.api.tensor(this.model, "decode", body, signal);
  }

  async look(at, signal) {
    const turn = ++this.asked;
    this.planeMap.mark(at.u, at.v);
    const decoded = await this.decode([this.slice.at(at.u, at.v)], signal);
    if (turn < this.seen) return; // a later one was faster
    this.seen = turn;
    const isWaiting = Boolean(this.next);
    this.next = { decoded, ...at };
    if (!isWaiting) requestAnimationFrame(() => this.paint());
  }

  paint() {
    const { decoded, u, v } = this.next;
    this.next = null;
    if (this.picture) paint(this.picture, this.model, decoded.row(0));
    else this.point(decoded);
    this.pace.note();
    const place = `${(u * this.slice.reach).toFixed(2)}, ${(v * this.slice.reach).toFixed(2)}`;
    const pace = this.pace.perSecond > 1 ? ` ${this.pace.perSecond} pictures in the last second.` : "";
    this.said.textContent = `The code at ${place}.${pace}`;
    this.said.dataset.frames = this.pace.frames;
  }

  // The mesh as the generator bends it.
  fold(mesh) {
    const { side } = this.planeMap;
    const points = pointsOf(Array.from({ length: mesh.rows }, (_, i) => mesh.row(i)));
    this.scatter.clear();
    for (let i = 0; i < side; i++) {
      this.scatter.line(points.slice(i * side, (i + 1) * side), this.scatter.colours.accent, 0.7);
      this.scatter.line(points.filter((_, k) => k % side === i), this.scatter.colours.accent, 0.7);
    }
    this.scatter.remember();
  }

  point(decoded) {
    this.scatter.recall();
    this.scatter.points(pointsOf([decoded.row(0)]), this.scatter.colours.second, 7);
  }
}
