// Draw: an example of one's own, what becomes of it through the code, and how probable the model finds it.
import { can as able, takesLabel } from "../capability.js";
import { Easel } from "../easel.js";
import { element } from "../element.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage, nested, paint } from "../image.js";
import { addLabel, labelOf } from "../labels.js";
import { Latest } from "../latest.js";
import { ledger, standing, tightening } from "../score.js";

// How many rows of this x are scored with K samples each: few samples scatter more, so more rows are averaged.
const ROWS = new Map([[1, 64], [4, 32], [16, 16], [64, 8], [256, 8]]);

const reconstructs = (model) => able(model, "encode", "decode");

export const name = "draw";
export const title = "Draw";
export const can = (model) => isImage(model) && (able(model, "score") || reconstructs(model));
export const caption = (model) =>
  able(model, "score")
    ? "Draw something. The model says how probable it is, in nats: a natural logarithm, higher is better, and three nats more mean twenty times as probable."
    : "Draw something. It is squeezed through the code and comes out as the model can draw it: what it has not learned is lost on the way.";

export function show(view) {
  const parts = partsOf(view.model);
  const judging = new Latest((isAtRest, signal) => judge(view, easel, fields, parts, isAtRest, signal), view.tell);
  const fields = new Fields(view.fields, (values) => {
    view.keep(values);
    const isOther = values.example !== parts.example;
    parts.example = values.example;
    (isOther ? easel.putExample(values.example, values.label) : Promise.resolve()).then(() => judging.insist(true)).catch(view.tell);
  });
  const easel = new Easel(view, (isAtRest) => (isAtRest ? judging.insist(true) : judging.want(false)));
  fields.number("example", "Example, by its seed", { least: 0, most: Number.MAX_SAFE_INTEGER, first: 3 });
  if (["encode", "score"].some((operation) => able(view.model, operation) && takesLabel(view.model, operation))) addLabel(fields, view.model);
  parts.example = fields.values.example;
  view.controls.append(easel.place, fields.place);
  view.display.append(parts.place);
  easel.begin(fields.values.example, fields.values.label).catch(view.tell);
  return () => judging.stop();
}

function partsOf(model) {
  const parts = { ledger: element("div", {}), curve: element("div", {}), standing: element("div", {}) };
  parts.reconstruction = reconstructs(model) ? canvasOf(model, null, "The reconstruction") : null;
  parts.error = element("figcaption", { role: "status" });
  parts.place = element("div", { class: "pair" },
    parts.reconstruction && element("figure", { class: "single small" }, element("h2", {}, "Reconstruction"), parts.reconstruction, parts.error),
    parts.ledger, parts.curve, parts.standing);
  return parts;
}

// While the pen moves only what is quick; the rest once it rests.
async function judge(view, easel, fields, parts, isAtRest, signal) {
  const { model, api } = view;
  const values = easel.pad.values;
  const one = nested(values, model.shapes.x);
  const label = (operation) => (takesLabel(model, operation) ? labelOf(model, fields.values) : {});
  view.tell(null);
  if (parts.reconstruction) {
    const asked = { x: [one], seed: 0, ...label("encode"), outputs: ["mean"] };
    const mean = (await api.tensor(model, "reconstruct", asked, signal)).row(0);
    paint(parts.reconstruction, model, mean);
    parts.error.textContent = `Mean squared error a value, as a share of the range: ${error(model, values, mean).toFixed(4)}`;
  }
  if (!able(model, "score")) return;
  const score = (rows, samples) =>
    api.json(model, "score", { x: new Array(rows).fill(one), samples, seed: 0, ...label("score") }, signal);
  const first = await score(1, Math.max(16, model.calibration?.samples ?? 0));
  parts.ledger.replaceChildren(ledger(first));
  stand(model, first, parts);
  if (isAtRest && first.kind !== "exact") await tighten(score, parts);
}

async function tighten(score, parts) {
  const points = [];
  for (const [samples, rows] of ROWS) {
    const answer = await score(rows, samples);
    points.push({ samples, ...averaged(answer.rows.map((row) => row.importance_weighted_bound)) });
    if (samples > 16) parts.ledger.replaceChildren(ledger(answer));
    if (points.length > 1) parts.curve.replaceChildren(tightening(points, answer.rows[0].elbo));
  }
}

function averaged(bounds) {
  if (bounds.includes(null)) return { bound: null, error: null };
  const bound = bounds.reduce((sum, value) => sum + value) / bounds.length;
  const squares = bounds.reduce((sum, value) => sum + (value - bound) ** 2, 0);
  return { bound, error: Math.sqrt(squares / (bounds.length - 1) / bounds.length) };
}

function stand({ calibration }, { rows: [row] }, parts) {
  const bound = row.importance_weighted_bound;
  parts.standing.replaceChildren(...(calibration && bound !== null ? [standing(calibration, bound, row.percentile)] : []));
}

function error(model, values, mean) {
  const [low, high] = model.x.range;
  return mean.reduce((sum, value, i) => sum + ((value - values[i]) / (high - low)) ** 2, 0) / mean.length;
}
