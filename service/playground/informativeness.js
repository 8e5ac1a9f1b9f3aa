// Which dimensions of a code say something about x, measured on examples: the axes worth looking along.
import { gives, takesLabel } from "./capability.js";
import { examplesOf, sourceOf } from "./examples.js";
import { labelOf } from "./labels.js";
import { nested } from "./image.js";

const EXAMPLES = { seed: 0, rows: 64 };

// { kind, values }: a value a dimension, or null where nothing can be measured.
export async function informativeness(view, signal) {
  const { api, model } = view;
  const output = ["kl_per_dimension", "mean", "z"].find((name) => gives(model, "encode", name));
  const source = output && (await sourceOf(view));
  if (!source) return null;
  const x = await examplesOf(api, source, EXAMPLES, signal);
  const label = takesLabel(model, "encode") ? labelOf(model, { label: "each" }, x.rows) : {};
  const body = { x: nested(x.values, x.shape), ...label, outputs: [output] };
  const codes = await api.tensor(model, "encode", body, signal);
  const statistic = output === "kl_per_dimension" ? mean : variance;
  const values = Array.from({ length: codes.values.length / codes.rows }, (_, d) => statistic(column(codes, d)));
  return { kind: output === "kl_per_dimension" ? "kl" : "variance", values };
}

// Dimensions, the most telling first.
export function ranked(values) {
  return values.map((_, d) => d).sort((one, other) => values[other] - values[one]);
}

function column(tensor, d) {
  return Array.from({ length: tensor.rows }, (_, i) => tensor.row(i)[d]);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values) {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}
