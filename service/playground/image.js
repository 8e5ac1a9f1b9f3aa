// Examples as pictures: the same pixels that the service's own PNG has.
import { element } from "./element.js";

export function isImage(model) {
  const { shape, kind, range } = { shape: model.shapes.x, ...model.x };
  return kind === "image" && Boolean(range) && (shape.length === 2 || (shape.length === 3 && shape[0] === 3));
}

export function sizeOf(model) {
  const shape = model.shapes.x;
  return { height: shape.at(-2), width: shape.at(-1), channels: shape.length === 3 ? 3 : 1 };
}

// A canvas of one example's pixels; a style sheet says how large they are shown.
export function canvasOf(model, row = null, label = null) {
  const { width, height } = sizeOf(model);
  const canvas = element("canvas", { width, height, class: "pixels" });
  if (label) canvas.setAttribute("role", "img");
  if (label) canvas.setAttribute("aria-label", label);
  if (row) paint(canvas, model, row);
  return canvas;
}

export function paint(canvas, model, row, left = 0, top = 0) {
  const { width, height, channels } = sizeOf(model);
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = level(model, row[channels === 3 ? c * width * height + i : i]);
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, left, top);
}

// The range as 0 ... 255 in single precision and halves to even, as the service rounds.
function level(model, value) {
  const [low, high] = model.x.range;
  if (!Number.isFinite(value)) return 0;
  const share = Math.fround(Math.fround(value - low) / Math.fround(high - low));
  const exact = Math.fround(255 * Math.min(1, Math.max(0, share)));
  const near = Math.round(exact);
  return near - exact === 0.5 && near % 2 ? near - 1 : near;
}

// Shares of white, 0 ... 1 a value, as the nearest that the model gives a probability.
export function valuesOf(model, shares) {
  const [low, high] = model.x.range;
  return Array.from(shares, (share) => {
    const value = low + share * (high - low);
    return model.x.support === "real" ? Math.fround(value) : Math.round(value);
  });
}

// Back to nested lists, as JSON has a tensor.
export function nested(values, shape) {
  if (shape.length <= 1) return Array.from(values);
  const size = values.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(values.slice(i * size, (i + 1) * size), shape.slice(1)));
}
