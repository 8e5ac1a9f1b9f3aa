// A score, told: the bound with its error, what it consists of, how it tightens, and where it lies among others.
import { Chart } from "./chart.js";
import { element } from "./element.js";
import { histogram } from "./histogram.js";

export function nats(value, error) {
  if (value === null) return "not finite";
  return `${value.toFixed(2)}${error ? ` ± ${error.toFixed(2)}` : ""} nats`.replace("-", "−");
}

// The sum: ELBO = reconstruction − KL.
export function ledger({ kind, rows: [row] }) {
  const bits = row.bits_per_dim === null ? "" : ` That is ${row.bits_per_dim.toFixed(3)} bits a value.`;
  if (kind === "exact") {
    return lines([["log p(x)", nats(row.elbo), "sole"]], `This model computes log p(x) itself: there is no bound to tighten, and no error bar.${bits}`);
  }
  const { reconstruction, kl } = row.terms;
  const terms = reconstruction === undefined ? [] : [["reconstruction", nats(reconstruction), ""], ["KL to the prior, subtracted", nats(kl), ""]];
  return lines(
    [...terms, ["ELBO", nats(row.elbo, row.elbo_std_error), "total"]],
    `The ELBO is a lower bound of log p(x). Reconstruction says how probable x is given codes that the encoder proposes; KL is the price of those codes: how far from the prior they are.${bits}`,
  );
}

function lines(rows, note) {
  const parts = rows.flatMap(([term, value, kind]) => [element("dt", { class: kind }, term), element("dd", { class: `number ${kind}` }, value)]);
  return element("figure", {}, element("dl", { class: "ledger" }, parts), element("figcaption", {}, note));
}

// `points` are { samples, bound, error }: the mean bound over several rows of this x, and its standard error.
export function tightening(points, elbo) {
  if (points.some(({ bound }) => bound === null)) return element("p", { class: "note" }, "A bound was not finite.");
  const ends = points.flatMap(({ bound, error }) => [bound - error, bound + error]);
  const places = points.map(({ samples, bound, error }) => [Math.log2(samples), bound, error]);
  const [first, last] = [places[0][0] - 0.4, places.at(-1)[0] + 0.4];
  const chart = new Chart([first, last], [Math.min(...ends, elbo) - 0.5, Math.max(...ends, elbo) + 0.5], "The importance weighted bound against the number of samples K");
  chart.line([[first, elbo], [last, elbo]], "second");
  chart.line(places);
  chart.dots(places);
  chart.scale();
  chart.ticks(points.map(({ samples }) => [Math.log2(samples), String(samples)]));
  const { samples, bound, error } = points.at(-1);
  return element("figure", {}, chart.place, element("figcaption", {},
    element("span", { class: "key" }), `Averaging K weights before the logarithm tightens the bound: at K = ${samples} it is ${nats(bound, error)}. `,
    element("span", { class: "key second" }), "The ELBO, which more samples make surer, not tighter."));
}

// Where `bound` lies among those of the validation examples.
export function standing({ samples, quantiles }, bound, percentile) {
  const columns = histogram(quantiles);
  const [low, high] = [columns[0][0], columns.at(-1)[1]];
  const chart = new Chart([low, high], [0, 1.15 * Math.max(...columns.map(([, , share]) => share))], "Bounds of validation examples, and that of this x");
  chart.columns(columns);
  chart.ticks([[low, low.toFixed(0)], [(low + high) / 2, ((low + high) / 2).toFixed(0)], [high, high.toFixed(0)]]);
  chart.upright(bound, "this x");
  const place = percentile === null ? "" : `${percentile.toFixed(1)} % of them are less probable to the model than this x. `;
  return element("figure", {}, chart.place, element("figcaption", {}, `${place}The bounds (K = ${samples}, in nats) of examples that the model did not learn from.`));
}
