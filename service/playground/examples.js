// Examples to begin with: samples of a model, or of one that has the same kind of x where it cannot sample itself.
import { can } from "./capability.js";
import { labelOf } from "./labels.js";

// The model to draw examples for `model` from; null if none has such an x.
export async function sourceOf({ api, model, others }) {
  if (can(model, "sample")) return model;
  const able = others.filter(({ operations }) => operations.includes("sample"));
  const isQuick = ({ operations }) => Number(operations.includes("decode")); // it draws all of x at once
  for (const entry of able.sort((one, other) => isQuick(other) - isQuick(one))) {
    const other = await api.model(entry);
    if (other.provenance.data === model.provenance.data && isAlike(other, model)) return other;
  }
  return null;
}

export async function examplesOf(api, source, { seed, index = 0, rows, output = "x", label = "each" }, signal) {
  const body = { seed, index, ...labelOf(source, { label, index }, rows), num_samples: rows, outputs: [output] };
  return api.tensor(source, "sample", body, signal);
}

export function isAlike(one, other) {
  return JSON.stringify([one.x, one.shapes.x]) === JSON.stringify([other.x, other.shapes.x]);
}
