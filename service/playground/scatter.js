// Points of the plane on a canvas, over the true modes where they are known.
import { element } from "./element.js";
import { MIXTURES } from "./toys.js";

const SIZE = 560; // drawn so large, shown as there is room

export class Scatter {
  constructor(model, label) {
    this.mixture = MIXTURES[model.provenance.data];
    this.canvas = element("canvas", { width: SIZE, height: SIZE, class: "plane", role: "img", "aria-label": label });
    this.pen = this.canvas.getContext("2d");
    this.colours = colours();
    this.reach = this.mixture ? 1.35 * Math.max(...this.mixture.modes.flat()) : 3;
    this.clear();
  }

  clear() {
    this.pen.clearRect(0, 0, SIZE, SIZE);
    this.line([[-this.reach, 0], [this.reach, 0]], this.colours.rule, 1);
    this.line([[0, -this.reach], [0, this.reach]], this.colours.rule, 1);
    for (const [x, y] of this.mixture?.modes ?? []) this.circle(x, y, 11, this.colours.mode);
  }

  // What is drawn so far, to go back to.
  remember() {
    this.ground = new OffscreenCanvas(SIZE, SIZE);
    this.ground.getContext("2d").drawImage(this.canvas, 0, 0);
  }

  recall() {
    this.pen.clearRect(0, 0, SIZE, SIZE);
    this.pen.drawImage(this.ground, 0, 0);
  }

  points(points, colour = this.colours.accent, size = 2) {
    this.pen.fillStyle = colour;
    this.pen.globalAlpha = size > 3 ? 1 : 0.55;
    for (const [x, y] of points) {
      this.pen.beginPath();
      this.pen.arc(...this.at(x, y), size, 0, 2 * Math.PI);
      this.pen.fill();
    }
    this.pen.globalAlpha = 1;
  }

  circle(x, y, radius, colour) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = 2;
    this.pen.beginPath();
    this.pen.arc(...this.at(x, y), radius, 0, 2 * Math.PI);
    this.pen.stroke();
  }

  line(points, colour, width) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = width;
    this.pen.beginPath();
    points.forEach(([x, y], i) => this.pen[i ? "lineTo" : "moveTo"](...this.at(x, y)));
    this.pen.stroke();
  }

  at(x, y) {
    const scale = SIZE / 2 / this.reach;
    return [SIZE / 2 + x * scale, SIZE / 2 - y * scale];
  }
}

// Those of the style sheet, light or dark.
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const named = (name) => style.getPropertyValue(`--${name}`).trim();
  return { accent: named("accent"), second: named("second"), rule: named("rule"), mode: named("mode"), ink: named("ink") };
}

// Rows of a tensor as points: the first two of their values.
export function pointsOf(rows) {
  return rows.map((row) => [row[0], row.length > 1 ? row[1] : 0]);
}
