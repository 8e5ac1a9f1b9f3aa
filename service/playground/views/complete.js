// Complete: a part of a picture is kept, and the model draws the rest, several times.
import { can as able, takesLabel } from "../capability.js";
import { Easel } from "../easel.js";
import { element } from "../element.js";
import { Fields } from "../fields.js";
import { canvasOf, isImage, nested, sizeOf } from "../image.js";
import { addLabel, labelOf } from "../labels.js";
import { Latest } from "../latest.js";

const TOLD = {
  exact: "The kept pixels come first in the order in which the model draws. So these are draws of the rest given the kept part, exactly.",
  causal: "Some kept pixels come after others that are drawn, and those were drawn without a look at them. So this is sampling with pixels held fixed, not the conditional distribution.",
};

export const name = "complete";
export const title = "Complete";
export const can = (model) => isImage(model) && able(model, "complete");
export const caption = () =>
  "An autoregressive model draws pixel by pixel, each given all before it. Give it the beginning, and it goes on: each time otherwise, for much can follow from one half.";

export function show(view) {
  const parts = { grid: element("div", { class: "grid wide" }), said: element("p", { class: "said", role: "status" }) };
  const completing = new Latest((_, signal) => complete(view, easel, fields.values, parts, signal), view.tell);
  const fields = new Fields(view.fields, (values) => {
    view.keep(values);
    const isOther = values.example !== parts.example;
    parts.example = values.example;
    veil();
    (isOther ? easel.putExample(values.example, values.label) : Promise.resolve()).then(() => completing.insist(true)).catch(view.tell);
  });
  const easel = new Easel(view, (isAtRest) => isAtRest && completing.insist(true));
  const veil = () => easel.pad.veil(fields.values.side, fields.values.kept);
  fields.choice("side", "Keep the", [["top", "top"], ["left", "left"]]);
  fields.range("kept", "Share that is kept", { least: 0, most: 1, step: 0.05, first: 0.5 });
  fields.number("seed", "Seed", { least: 0, most: Number.MAX_SAFE_INTEGER, first: 1 });
  fields.number("rows", "How many", { least: 1, most: 64, first: 12 });
  fields.range("temperature", "Temperature", { least: 0, most: 2, step: 0.05, first: 1 });
  fields.number("example", "Example, by its seed", { least: 0, most: Number.MAX_SAFE_INTEGER, first: 3 });
  if (takesLabel(view.model, "complete")) addLabel(fields, view.model);
  parts.example = fields.values.example;
  veil();
  view.controls.append(easel.place, fields.place);
  view.display.append(parts.grid, parts.said);
  easel.begin(fields.values.example, fields.values.label).catch(view.tell);
  return () => completing.stop();
}

// One at a time, each shown as it comes: a completion is named by its index, so it does not matter.
async function complete(view, easel, values, parts, signal) {
  const { model, api } = view;
  const mask = maskOf(model, values);
  const x = easel.pad.values.map((value, i) => (mask[i] ? value : model.x.range[0]));
  const label = takesLabel(model, "complete") ? labelOf(model, values) : {};
  const shape = [1, ...model.shapes.x];
  const { seed, temperature } = values;
  view.tell(null);
  parts.grid.replaceChildren();
  for (let index = 0; index < values.rows; index++) {
    const body = { x: nested(x, shape), mask: nested(mask, shape), seed, index, temperature, ...label };
    const answer = await api.json(model, "complete", body, signal);
    parts.grid.append(canvasOf(model, answer.x[0].flat(Infinity), `Completion ${index}`));
    parts.said.textContent = `${index + 1} of ${values.rows}, conditioning ${answer.conditioning}. ${TOLD[answer.conditioning]}`;
  }
}

// 1 where x is kept.
function maskOf(model, { side, kept }) {
  const { width, height, channels } = sizeOf(model);
  const isKept = (i) => (side === "top" ? Math.floor(i / width) < Math.round(kept * height) : i % width < Math.round(kept * width));
  return Array.from({ length: width * height * channels }, (_, k) => Number(isKept(k % (width * height))));
}
