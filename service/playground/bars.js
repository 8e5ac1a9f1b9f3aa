// A bar a dimension, the chosen ones marked.
import { shape } from "./element.js";

const HEIGHT = 64;

export function bars(values, order, chosen, label) {
  const most = Math.max(...values, 1e-9);
  const rects = order.map((d, i) => {
    const height = Math.max(1, (HEIGHT - 2) * (values[d] / most));
    return shape("rect", { x: 10 * i + 1, y: HEIGHT - height, width: 8, height, class: chosen.includes(d) ? "bar chosen" : "bar" });
  });
  const box = `0 0 ${10 * values.length} ${HEIGHT}`;
  return shape("svg", { viewBox: box, preserveAspectRatio: "none", class: "bars", role: "img", "aria-label": label }, rects);
}
