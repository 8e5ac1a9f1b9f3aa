// Compare: the same noise through two models.
import { can as able, isPlane, shownOutput, takesLabel } from "../capability.js";
import { element } from "../element.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage } from "../image.js";
import { labelOf } from "../labels.js";
import { Latest } from "../latest.js";
import { shortest } from "../npy.js";
import { Scatter, pointsOf } from "../scatter.js";
import { MIXTURES, coverage } from "../toys.js";

export const name = "compare";
export const title = "Compare";
export const can = (model) => (isImage(model) || isPlane(model)) && (able(model, "sample") || able(model, "decode"));
export const caption = (model) =>
  isPlane(model)
    ? "The same seeds through two generators. The circles are the true modes: a generator that leaves some of them empty has collapsed onto the others, however good its points look."
    : `The same seeds through two models. Where their codes are of one size, the very same code goes through both.${
        able(model, "encode") ? " An autoencoder never learned where codes lie, so a code drawn at random means little to it: to know that is what a variational one adds." : " What differs is what training made of it."
      }`;

export function show(view) {
  let stop = () => {};
  let isStopped = false;
  partnersOf(view).then((partners) => {
    if (isStopped) return;
    if (!partners.length) throw new Error(`No other model here has the same kind of x as ${view.model.name}.`);
    stop = build(view, partners);
  }).catch(view.tell);
  return () => {
    isStopped = true;
    stop();
  };
}

// Those with an x of the same shape, of which one at least can sample; those of the same data first.
async function partnersOf({ api, model, others }) {
  const described = await Promise.all(others.filter(({ name: other }) => other !== model.name).map((entry) => api.model(entry)));
  const isNear = (other) => Number(other.provenance.data === model.provenance.data) + 2 * Number(JSON.stringify(other.shapes.z) === JSON.stringify(model.shapes.z));
  return described
    .filter((other) => can(other) && JSON.stringify(other.shapes.x) === JSON.stringify(model.shapes.x) && drawsOf(model, other))
    .sort((one, other) => isNear(other) - isNear(one) || distance(one, model) - distance(other, model));
}

// Another family teaches more, and labels would be one difference too many.
function distance(one, other) {
  return Number(one.family === other.family) + 2 * Number(one.labels.length !== other.labels.length);
}

// Who draws the codes: each for itself, or one for both, where the other has no prior; null where it cannot be done.
function drawsOf(one, other) {
  if (able(one, "sample") && able(other, "sample")) return { shared: null };
  const shared = [one, other].find((model) => able(model, "sample", "decode"));
  const fits = shared && able(one, "decode") && able(other, "decode") && JSON.stringify(one.shapes.z) === JSON.stringify(other.shapes.z);
  return fits ? { shared } : null;
}

function build(view, partners) {
  const { model } = view;
  const parts = [1, 2].map(() => ({ answer: element("div", {}), said: element("figcaption", { role: "status" }), heading: element("h2", {}) }));
  const find = (other) => partners.find((partner) => partner.name === other);
  const drawing = new Latest((values, signal) => draw(view, find(values.other), values, parts, signal), view.tell);
  const fields = new Fields(view.fields, (values) => {
    view.keep(values);
    drawing.insist(values);
  });
  fields.choice("other", "Beside", partners.map((partner) => [partner.name, partner.name]));
  fields.number("seed", "Seed", { least: 0, most: Number.MAX_SAFE_INTEGER, first: 7 });
  fields.number("rows", "How many", { least: 1, most: 4096, first: isImage(model) ? 36 : 2500 });
  fields.range("temperature", "Temperature", { least: 0, most: 2, step: 0.05, first: 1 });
  view.controls.append(fields.place);
  view.display.append(element("div", { class: "pair" }, parts.map((part) => element("figure", {}, part.heading, part.answer, part.said))));
  drawing.want(fields.values);
  return () => drawing.stop();
}

async function draw(view, other, values, parts, signal) {
  const { shared } = drawsOf(view.model, other);
  view.tell(null);
  const codes = shared && (await sampled(view.api, shared, values, "z", signal));
  for (const [i, model] of [view.model, other].entries()) {
    const rows = codes ? await decoded(view.api, model, codes, values, signal) : await sampled(view.api, model, values, null, signal);
    if (signal.aborted) return;
    parts[i].heading.textContent = model.name;
    parts[i].answer.replaceChildren(isImage(model) ? grid(model, rows) : scatter(model, rows));
    parts[i].said.textContent = told(model, rows, shared);
  }
}

function sampled(api, model, { seed, rows, temperature }, output, signal) {
  const label = takesLabel(model, "sample") ? labelOf(model, { label: "each" }, rows) : {};
  const body = { seed, num_samples: rows, temperature, ...label, outputs: [output ?? shownOutput(model, "sample")] };
  return api.tensor(model, "sample", body, signal);
}

function decoded(api, model, codes, { rows }, signal) {
  const label = takesLabel(model, "decode") ? labelOf(model, { label: "each" }, rows) : {};
  const z = Array.from({ length: codes.rows }, (_, i) => shortest(codes.row(i)));
  return api.tensor(model, "decode", { z, seed: 0, ...label, outputs: [shownOutput(model, "decode")] }, signal);
}

function grid(model, tensor) {
  const pictures = Array.from({ length: tensor.rows }, (_, i) => canvasOf(model, tensor.row(i), `${model.name}, row ${i}`));
  return element("div", { class: "grid six" }, pictures);
}

function scatter(model, tensor) {
  const drawn = new Scatter(model, `Samples of ${model.name} in the plane`);
  drawn.points(points(tensor));
  return drawn.canvas;
}

function points(tensor) {
  return pointsOf(Array.from({ length: tensor.rows }, (_, i) => tensor.row(i)));
}

function told(model, tensor, shared) {
  const mixture = MIXTURES[model.provenance.data];
  if (isPlane(model) && mixture) {
    const { found, modes, share } = coverage(mixture, points(tensor));
    return `${found} of ${modes} modes reached; ${(100 * share).toFixed(1)} % of the points within three standard deviations of one.`;
  }
  if (!shared) return `${model.title}.`;
  return shared === model ? "Codes from its own prior, decoded." : `The same codes, drawn from the prior of ${shared.name}. ${sentence(model.absent.sample)}`;
}

function sentence(reason) {
  return reason ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` : "";
}
