// Interpolate: what lies between two examples, along a straight path and along an arc, side by side.
import { can as able, isPlane, shownOutput, takesLabel } from "../capability.js";
import { Chart } from "../chart.js";
import { element } from "../element.js";
import { End } from "../end.js";
import { sourceOf } from "../examples.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage } from "../image.js";
import { addLabel, labelOf } from "../labels.js";
import { Latest } from "../latest.js";
import { Scatter, pointsOf } from "../scatter.js";

const PATHS = ["linear", "spherical"];

export const name = "interpolate";
export const title = "Interpolate";
export const can = (model) => able(model, "decode") && (able(model, "sample") || able(model, "encode")) && (isImage(model) || isPlane(model));
export const caption = () =>
  "Two codes, and the codes between them, decoded. Codes drawn from a normal prior in many dimensions all lie about equally far from zero, on a shell. The straight path cuts through the inside, where hardly any code lies; the spherical one stays on the shell.";

export function show(view) {
  let stop = () => {};
  let isStopped = false;
  sourceOf(view).then((source) => {
    if (isStopped) return;
    if (!source) throw new Error(`${view.model.name} cannot sample, and no model here draws such examples; drop two pictures instead.`);
    stop = build(view, source);
  }).catch(view.tell);
  return () => {
    isStopped = true;
    stop();
  };
}

function build(view, source) {
  const drawing = new Latest((values, signal) => draw(view, values, parts, signal), view.tell);
  const fields = new Fields(view.fields, (values) => {
    if (values.start !== parts.seeds?.start) parts.start.drop();
    if (values.end !== parts.seeds?.end) parts.end.drop();
    view.keep(values);
    drawing.insist(values);
  });
  const seed = { least: 0, most: Number.MAX_SAFE_INTEGER };
  fields.number("start", "First seed", { ...seed, first: 7 });
  fields.number("end", "Last seed", { ...seed, first: 10 });
  fields.number("steps", "Steps", { least: 2, most: 64, first: isImage(view.model) ? 12 : 64 });
  if (takesLabel(view.model, "decode")) addLabel(fields, view.model);
  const again = () => drawing.insist(fields.values);
  const parts = {
    start: new End(view, source, "The first end", again),
    end: new End(view, source, "The last end", again),
    answer: element("div", {}),
  };
  view.controls.append(fields.place);
  if (isImage(view.model)) view.display.append(element("div", { class: "ends" }, parts.start.place, parts.end.place));
  view.display.append(parts.answer);
  drawing.want(fields.values);
  return () => drawing.stop();
}

async function draw(view, values, parts, signal) {
  const { model, api } = view;
  view.tell(null);
  parts.seeds = { start: values.start, end: values.end };
  const label = takesLabel(model, "decode") ? labelOf(model, values) : {};
  const [start, end] = [await parts.start.asked(values.start, values, signal), await parts.end.asked(values.end, values, signal)];
  const output = shownOutput(model, "decode");
  const answers = [];
  for (const path of PATHS) {
    answers.push(await api.json(model, "interpolate", { start, end, steps: values.steps, path, seed: 0, ...label, outputs: [output, "z"] }, signal));
  }
  if (signal.aborted) return;
  const rows = answers.map((answer) => answer[output].map((row) => row.flat(Infinity)));
  parts.start.show(rows[0][0], values.start);
  parts.end.show(rows[0].at(-1), values.end);
  parts.answer.replaceChildren(
    ...(isImage(model) ? rows.map((row, i) => strip(model, row, PATHS[i])) : [plane(model, rows)]),
    lengths(answers.map((answer) => answer.z), values.steps),
  );
}

function strip(model, rows, path) {
  const pictures = rows.map((row, i) => canvasOf(model, row, `${path}, step ${i + 1} of ${rows.length}`));
  return element("figure", { class: path }, element("h2", {}, path === "linear" ? "Linear" : "Spherical"), element("div", { class: "strip" }, pictures));
}

function plane(model, rows) {
  const scatter = new Scatter(model, "Both paths in the plane of x");
  const colours = [scatter.colours.accent, scatter.colours.second];
  rows.forEach((row, i) => {
    scatter.line(pointsOf(row), colours[i], 1.5);
    scatter.points(pointsOf(row), colours[i], 4);
  });
  return element("figure", {}, scatter.canvas);
}

// How far from zero the codes are on their way.
function lengths(codes, steps) {
  const norms = codes.map((path) => path.map((z) => Math.hypot(...z)));
  const chart = new Chart([0, steps - 1], [0, Math.ceil(1.1 * Math.max(...norms.flat()))], "Distance of the codes from zero along both paths");
  norms.forEach((path, i) => chart.line(path.map((norm, step) => [step, norm]), i ? "second" : "first"));
  chart.scale();
  chart.ticks([[0, "first"], [steps - 1, "last"]]);
  const keys = [element("span", { class: "key" }), "linear ", element("span", { class: "key second" }), "spherical"];
  return element("figure", { class: "narrow" }, chart.place, element("figcaption", {}, "How far the codes are from zero. ", ...keys));
}
