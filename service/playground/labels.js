// The label of a conditional model, as a field and as the request has it.
const EACH = "each";

export function addLabel(fields, model, { mayTurn = false } = {}) {
  if (!model.labels.length) return;
  const options = model.labels.map((label, i) => [String(i), label]);
  fields.choice("label", "Label", mayTurn ? [[EACH, "each in turn"], ...options] : options);
}

// `label` of a request for rows from `index` on; nothing for a model without labels.
export function labelOf(model, { label, index = 0 }, rows) {
  if (!model.labels.length) return {};
  if (label !== EACH) return { label: Number(label) };
  return { label: Array.from({ length: rows }, (_, i) => (index + i) % model.labels.length) };
}
