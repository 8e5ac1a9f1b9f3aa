// Card: what the model is, what was measured of it, where it came from, and where it ends.
import { can as able, isPlane } from "../capability.js";
import { element } from "../element.js";

export const name = "card";
export const title = "Card";
export const can = () => true;
export const caption = (model) => `${model.title.replace(/\.?$/, ".")} Figures were measured on the exported model, the one that answers here.`;

export function show(view) {
  const { model, api } = view;
  api.tell(`/v2/models/${model.name}`);
  const picture = element("div", { class: "figure preview" });
  view.controls.append(facts(model), picture);
  view.display.append(figures(model), abilities(model), limits(model), origin(model));
  if (!isPlane(model)) hang(view, picture).catch(() => {}); // a bundle may come without one
  return () => {};
}

async function hang({ api, model }, place) {
  const source = await api.picture(`/v2/models/${model.name}/preview.png`);
  place.append(element("img", { src: source, alt: `The picture that ${model.name} comes with` }));
}

function facts(model) {
  return pairs([
    ["Model", `${model.name}, version ${model.version}`],
    ["Family", model.family],
    ["Examples", `${model.x.support} ${model.x.kind}s of ${model.shapes.x.join(" × ")}`],
    ["Code", model.shapes.z ? `${model.shapes.z.join(" × ")} numbers` : "none"],
    ["Parameters", model.provenance.parameters.toLocaleString("en")],
    ["Runs on", model.provider.replace("ExecutionProvider", "")],
  ]);
}

function figures(model) {
  const rows = Object.entries(model.figures).map(([figure, { value, std_error, unit, split, examples }]) =>
    element("tr", {},
      element("th", { scope: "row" }, figure.replaceAll("_", " ")),
      element("td", { class: "number" }, rounded(value), std_error ? ` ± ${rounded(std_error, 2)}` : ""),
      element("td", {}, unit),
      element("td", {}, `${split}, ${examples.toLocaleString("en")}`),
    ));
  const head = ["Figure", "Value ± standard error", "Unit", "Split, examples"].map((text) => element("th", { scope: "col" }, text));
  const table = element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows));
  return part("Figures", element("div", { class: "scrolled", tabindex: "0", role: "region", "aria-label": "Figures" }, table));
}

function abilities(model) {
  const present = model.operations.map((operation) => {
    const outputs = model.parameters.operations[operation].outputs.map((output) => output.name);
    return [operation, `gives ${outputs.join(", ")}`];
  });
  const lacking = Object.entries(model.absent).map(([operation, reason]) => [operation, `no: ${reason}`]);
  return part("What it can do", pairs([...present, ...lacking]));
}

function limits(model) {
  const said = [`It has seen ${model.provenance.data} only; what it says of other data is an extrapolation.`];
  if (able(model, "score") && model.parameters.operations.score.noise.length) {
    said.push("Its scores are lower bounds of log p(x), never log p(x) itself; their standard errors are Monte Carlo errors of the bound.");
  }
  if (able(model, "criticize")) said.push("What its critic says of an example is no probability.");
  said.push("Equal seeds give equal bytes on the same processor type and versions, not across them.");
  return part("Limits", element("ul", {}, said.map((text) => element("li", {}, text))));
}

function origin(model) {
  const { data, data_digest, minutes, command, versions, commit } = model.provenance;
  return part("Provenance", pairs([
    ["Data", `${data}, sha256 ${data_digest.slice(0, 16)}…`],
    ["Training", `${minutes.toFixed(1)} minutes`],
    ["Command", element("code", {}, command)],
    ["Versions", Object.entries(versions).map(([library, version]) => `${library} ${version}`).join(", ")],
    ["Commit", commit ? commit.slice(0, 12) : "not known"],
    ["Digest", element("code", {}, `${model.digest.slice(0, 16)}…`)],
  ]));
}

function part(heading, ...inside) {
  return element("section", { class: "part" }, element("h2", {}, heading), ...inside);
}

function pairs(rows) {
  return element("dl", {}, rows.flatMap(([term, what]) => [element("dt", {}, term), element("dd", {}, what)]));
}

function rounded(value, digits = 5) {
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}
