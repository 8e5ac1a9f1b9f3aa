// Lines over an axis, as an SVG with its numbers.
import { shape } from "./element.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, MARGIN] = [340, 170, 46, 26, 10];

export class Chart {
  // `x` and `y` are the ends of the axes.
  constructor(x, y, label) {
    this.x = x;
    this.y = y[0] === y[1] ? [y[0] - 1, y[1] + 1] : y;
    this.place = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label });
    const corner = [[LEFT, MARGIN], [LEFT, HEIGHT - BOTTOM], [WIDTH - MARGIN, HEIGHT - BOTTOM]];
    this.place.append(shape("polyline", { points: corner.join(" "), class: "axis" }));
  }

  // The ends of the upright axis.
  scale() {
    const digits = this.y[1] - this.y[0] < 5 ? 1 : 0;
    for (const value of this.y) this.write(LEFT - 6, this.at(0, value)[1] + 4, value.toFixed(digits), "end");
  }

  // `ticks` are pairs of a place and what stands there.
  ticks(ticks) {
    for (const [value, text] of ticks) this.write(this.at(value, this.y[0])[0], HEIGHT - BOTTOM + 16, text, "middle");
  }

  line(points, kind = "first") {
    this.place.append(shape("polyline", { points: points.map((point) => this.at(...point)).join(" "), class: kind }));
  }

  dots(points, kind = "") {
    for (const [x, y, error = 0] of points) {
      const [across, down] = this.at(x, y);
      const [, above] = this.at(x, y + error);
      this.place.append(shape("line", { x1: across, x2: across, y1: above, y2: 2 * down - above, class: kind || "first" }));
      this.place.append(shape("circle", { cx: across, cy: down, r: 3.5, class: `dot ${kind}` }));
    }
  }

  columns(columns) {
    for (const [from, to, value] of columns) {
      const [left, top] = this.at(from, value);
      const [right, foot] = this.at(to, this.y[0]);
      this.place.append(shape("rect", { x: left, y: top, width: Math.max(0.5, right - left - 0.5), height: Math.max(0, foot - top), class: "area" }));
    }
  }

  upright(x, text) {
    const [across] = this.at(Math.min(this.x[1], Math.max(this.x[0], x)), this.y[0]);
    this.place.append(shape("line", { x1: across, x2: across, y1: MARGIN, y2: HEIGHT - BOTTOM, class: "second" }));
    this.write(across > WIDTH / 2 ? across - 5 : across + 5, MARGIN + 10, text, across > WIDTH / 2 ? "end" : "start");
  }

  write(x, y, text, anchor) {
    this.place.append(shape("text", { x, y, "text-anchor": anchor }, text.replace("-", "−")));
  }

  at(x, y) {
    const across = LEFT + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (WIDTH - MARGIN - LEFT);
    return [across, HEIGHT - BOTTOM - ((y - this.y[0]) / (this.y[1] - this.y[0])) * (HEIGHT - BOTTOM - MARGIN)];
  }
}
