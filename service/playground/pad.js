// A pad to draw an example on, pixel by pixel of the model, with a pen, a finger or the arrow keys.
import { element } from "./element.js";
import { canvasOf, paint, sizeOf, valuesOf } from "./image.js";

const kept = new Map(); // drawings, by size: they outlive the view
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  // `onChange` hears of each stroke, `onRest` when a stroke ends.
  constructor(model, onChange, onRest) {
    Object.assign(this, { model, onChange, onRest, size: sizeOf(model), isDown: false });
    const { width, height } = this.size;
    this.name = [width, height, this.size.channels].join();
    this.radius = 0.6 + 0.025 * width; // pixels; about the pen of MNIST
    this.pen = { x: Math.floor(width / 2), y: Math.floor(height / 4) };
    this.canvas = canvasOf(model);
    this.cursor = element("span", { class: "cross pen", "aria-hidden": "true" });
    this.limit = element("span", { class: "limit", "aria-hidden": "true", hidden: true });
    this.place = element(
      "div",
      { class: "over pad", tabindex: "0", role: "application", "aria-label": "Drawing pad. The arrow keys move the pen, the space bar lifts and lowers it." },
      this.canvas, this.limit, this.cursor,
    );
    this.listen();
    this.shares = kept.get(this.name)?.slice() ?? this.blank();
    this.show();
  }

  static isKept(model) {
    const { width, height, channels } = sizeOf(model);
    return kept.has([width, height, channels].join());
  }

  listen() {
    this.place.addEventListener("pointerdown", (event) => this.begin(event));
    this.place.addEventListener("pointermove", (event) => event.buttons && this.drag(event));
    this.place.addEventListener("pointerup", () => this.onRest());
    this.place.addEventListener("keydown", (event) => this.press(event));
  }

  blank() {
    return new Array(this.size.width * this.size.height * this.size.channels).fill(0);
  }

  // What the model would see: values in its support, row by row.
  get values() {
    return valuesOf(this.model, this.shares);
  }

  // An example to begin with; the first stroke takes its place.
  put(shares) {
    this.shares = Array.from(shares);
    this.isExample = true;
    this.show();
  }

  // A picture of the user's.
  keep(shares) {
    this.put(shares);
    this.isExample = false;
    kept.set(this.name, this.shares.slice());
  }

  clear() {
    this.keep(this.blank());
    kept.delete(this.name);
  }

  begin(event) {
    event.preventDefault();
    this.place.focus();
    this.place.setPointerCapture(event.pointerId);
    this.last = null;
    this.drag(event);
  }

  drag(event) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.size;
    const to = { x: ((event.clientX - box.left) / box.width) * width - 0.5, y: ((event.clientY - box.top) / box.height) * height - 0.5 };
    this.stroke(this.last ?? to, to);
    this.last = to;
  }

  press(event) {
    if (event.key === " ") this.isDown = !this.isDown;
    else if (!(event.key in STEPS)) return;
    event.preventDefault();
    const [across, down] = STEPS[event.key] ?? [0, 0];
    const { width, height } = this.size;
    const to = { x: Math.min(width - 1, Math.max(0, this.pen.x + across)), y: Math.min(height - 1, Math.max(0, this.pen.y + down)) };
    if (this.isDown) this.stroke(this.pen, to);
    if (this.isDown || event.key === " ") this.onRest();
    this.pen = to;
    this.point();
  }

  stroke(from, to) {
    if (this.isExample) this.shares = this.blank();
    this.isExample = false;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
    for (let i = 0; i <= steps; i++) this.dab(from.x + ((to.x - from.x) * i) / steps, from.y + ((to.y - from.y) * i) / steps);
    kept.set(this.name, this.shares.slice());
    this.show();
    this.onChange();
  }

  // Ink around a point, soft at its edge.
  dab(x, y) {
    const { width, height, channels } = this.size;
    for (let i = 0; i < width * height; i++) {
      const distance = Math.hypot((i % width) - x, Math.floor(i / width) - y);
      const ink = Math.min(1, Math.max(0, this.radius + 0.5 - distance));
      for (let c = 0; ink && c < channels; c++) {
        const k = c * width * height + i;
        this.shares[k] = Math.max(this.shares[k], ink);
      }
    }
  }

  show() {
    paint(this.canvas, this.model, this.values);
    this.point();
  }

  point() {
    this.cursor.style.left = `${(100 * (this.pen.x + 0.5)) / this.size.width}%`;
    this.cursor.style.top = `${(100 * (this.pen.y + 0.5)) / this.size.height}%`;
    this.cursor.classList.toggle("down", this.isDown);
  }

  // A veil over what is not kept.
  veil(side, share) {
    this.limit.hidden = false;
    this.limit.className = `limit ${side}`;
    this.limit.style[side === "top" ? "top" : "left"] = `${100 * share}%`;
    this.limit.style[side === "top" ? "left" : "top"] = "0";
  }
}
