// Sample: new examples by their seed, and any of them alone.
import { can as able, isPlane, shownOutput } from "../capability.js";
import { draws } from "../draws.js";
import { element } from "../element.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage } from "../image.js";
import { addLabel, labelOf } from "../labels.js";
import { Latest } from "../latest.js";
import { Scatter, pointsOf } from "../scatter.js";
import { MIXTURES, coverage } from "../toys.js";

export const name = "sample";
export const title = "Sample";
export const can = (model) => able(model, "sample") && (isImage(model) || isPlane(model));
export const caption = (model) =>
  `A generative model turns noise into examples. The seed names the noise, so the same seed always gives the same ${
    isImage(model) ? "pictures. Choose one and it is drawn again, alone: it does not change." : "points."
  } Temperature scales the noise; at 0 there is none.`;

export function show(view) {
  const { model, api } = view;
  const drawing = new Latest((values, signal) => draw(view, values, parts, signal), view.tell);
  const fields = new Fields(view.fields, (values) => {
    view.keep(values);
    drawing.insist(values);
  });
  fields.number("seed", "Seed", { least: 0, most: Number.MAX_SAFE_INTEGER, first: 7 });
  fields.number("index", "First row", { least: 0, most: 1e9, first: 0 });
  fields.number("rows", "How many", { least: 1, most: 1024, first: isImage(model) ? 64 : 1000 });
  fields.range("temperature", "Temperature", { least: 0, most: 2, step: 0.05, first: 1 });
  addLabel(fields, model, { mayTurn: true });
  if (shownOutput(model, "sample") === "mean") {
    fields.choice("output", "Show", [["mean", "the expectation"], ["x", "the draw itself"]]);
  }
  const parts = {
    said: element("p", { class: "said", role: "status" }),
    answer: element("div", { class: isImage(model) ? "grid" : "figure" }),
    alone: element("div", { class: "alone" }),
  };
  view.controls.append(
    fields.place,
    element("button", { type: "button", class: "main", onclick: () => fields.set("seed", anySeed()) }, "Another seed"),
    parts.alone,
  );
  view.display.append(parts.answer, parts.said);
  drawing.want(fields.values);
  return () => drawing.stop();
}

function anySeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

async function draw(view, values, parts, signal) {
  const { seed, index, temperature, rows } = values;
  const output = values.output ?? "x";
  const body = { seed, index, temperature, ...labelOf(view.model, values, rows), num_samples: rows, outputs: [output] };
  view.tell(null);
  parts.alone.replaceChildren();
  parts.answer.replaceChildren();
  parts.said.textContent = "";
  const began = performance.now();
  const put = isImage(view.model) ? tiles(view, body, output, parts) : points(view, parts);
  let drawn = 0;
  for await (const line of draws(view.api, view.model, body, signal)) {
    if (signal.aborted) return;
    put(line[output], line.index);
    drawn += 1;
    parts.said.textContent = `${drawn} of ${rows}`;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  parts.said.textContent = `${drawn} ${drawn === 1 ? "sample" : "samples"} in ${seconds} s${covered(view.model, put)}`;
}

function tiles(view, body, output, parts) {
  return (value, index) => {
    const row = value.flat(Infinity);
    const again = () => redo(view, body, output, row, index, parts.alone).catch(view.tell);
    const tile = element("button", { class: "tile", "aria-label": `Sample ${index}`, onclick: again }, canvasOf(view.model, row));
    parts.answer.append(tile);
  };
}

async function redo(view, body, output, row, index, place) {
  const label = Array.isArray(body.label) ? { label: body.label[index - body.index] } : {};
  const answer = await view.api.json(view.model, "sample", { ...body, ...label, index, num_samples: 1 });
  const again = answer[output].flat(Infinity);
  const isEqual = again.every((value, i) => value === row[i]);
  place.replaceChildren(
    canvasOf(view.model, again, `Sample ${index}, drawn alone`),
    element("p", {}, isEqual
      ? `Row ${index} of seed ${body.seed}, asked for alone: all ${row.length} values are those in the grid.`
      : `Row ${index} of seed ${body.seed}, asked for alone, differs from the grid. It should not.`),
  );
}

function points(view, parts) {
  const scatter = new Scatter(view.model, `Samples of ${view.model.name} in the plane`);
  parts.answer.append(scatter.canvas);
  const put = (value) => {
    const [point] = pointsOf([value]);
    put.all.push(point);
    scatter.points([point]);
  };
  put.all = [];
  return put;
}

function covered(model, { all }) {
  const mixture = MIXTURES[model.provenance.data];
  if (!mixture || !all) return "";
  const { found, modes, share } = coverage(mixture, all);
  return `. They reach ${found} of ${modes} modes (circles); ${(100 * share).toFixed(1)} % lie within three standard deviations of one`;
}
