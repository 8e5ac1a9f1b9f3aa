// The slice as a picture to drag over: each cell shows what its code decodes to, a cross where one looks.
import { element } from "./element.js";
import { paint, sizeOf } from "./image.js";
import { colours } from "./scatter.js";
import { clamp } from "./slice.js";

const LARGE = 560; // pixels a side where there are no pictures

export class PlaneMap {
  // `onMove` hears (u, v) of -1 to 1.
  constructor(model, side, onMove) {
    this.model = model;
    this.side = side;
    this.size = model.x.kind === "image" ? sizeOf(model) : { width: LARGE / side, height: LARGE / side };
    const [width, height] = [side * this.size.width, side * this.size.height];
    this.canvas = element("canvas", { width, height, class: "map pixels", role: "img", "aria-label": "The slice; the two sliders move over it" });
    this.cross = element("span", { class: "cross", "aria-hidden": "true" });
    this.place = element("div", { class: "over" }, this.canvas, this.cross);
    this.place.addEventListener("pointerdown", (event) => this.grab(event));
    this.place.addEventListener("pointermove", (event) => event.buttons && this.follow(event));
    new ResizeObserver(([{ contentRect }]) => this.fit(contentRect)).observe(this.place);
    this.box = { width: 0, height: 0 };
    this.marked = { u: 0, v: 0 };
    this.onMove = onMove;
  }

  grab(event) {
    event.preventDefault();
    this.place.setPointerCapture(event.pointerId);
    this.follow(event);
  }

  // A mouse moves more often than there are frames; its last place in each is enough.
  follow({ clientX, clientY }) {
    if (!this.pointer) requestAnimationFrame(() => this.tell());
    this.pointer = { clientX, clientY };
  }

  tell() {
    const { left, top, width, height } = this.place.getBoundingClientRect();
    const u = clamp((2 * (this.pointer.clientX - left)) / width - 1);
    const v = clamp(1 - (2 * (this.pointer.clientY - top)) / height);
    this.pointer = null;
    this.onMove(u, v);
  }

  fit({ width, height }) {
    this.box = { width, height };
    this.mark(this.marked.u, this.marked.v);
  }

  // By a transform, for which nothing has to be laid out or painted again.
  mark(u, v) {
    this.marked = { u, v };
    this.cross.style.translate = `${(u * this.box.width) / 2}px ${(-v * this.box.height) / 2}px`;
  }

  // A tensor with a picture a cell.
  pictures(tensor) {
    for (let k = 0; k < tensor.rows; k++) {
      const [left, top] = [(k % this.side) * this.size.width, Math.floor(k / this.side) * this.size.height];
      paint(this.canvas, this.model, tensor.row(k), left, top);
    }
  }

  // No pictures to show: the mesh whose image in the plane of x is drawn beside it.
  mesh() {
    const pen = this.canvas.getContext("2d");
    const { rule, accent } = colours();
    this.canvas.classList.add("bare");
    pen.clearRect(0, 0, LARGE, LARGE);
    for (let i = 0; i < this.side; i++) {
      const at = (i + 0.5) * this.size.width;
      pen.fillStyle = 2 * i + 1 === this.side ? accent : rule;
      pen.fillRect(at, 0, 1.5, LARGE);
      pen.fillRect(0, at, LARGE, 1.5);
    }
  }
}
