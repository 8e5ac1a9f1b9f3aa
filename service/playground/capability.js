// What a model can do, read off its description.
export function can(model, ...operations) {
  return operations.every((operation) => model.operations.includes(operation));
}

export function takesLabel(model, operation) {
  return model.parameters.operations[operation].inputs.some(({ name }) => name === "label");
}

export function gives(model, operation, output) {
  return can(model, operation) && model.parameters.operations[operation].outputs.some(({ name }) => name === output);
}

// The output to look at: the expectation of x where there is one.
export function shownOutput(model, operation) {
  return gives(model, operation, "mean") ? "mean" : "x";
}

export function isPlane(model) {
  return model.x.kind === "vector";
}
