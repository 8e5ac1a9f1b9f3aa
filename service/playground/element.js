// An element with its attributes, its listeners (onclick and so on) and what is in it.
export function element(name, given = {}, ...inside) {
  return fill(document.createElement(name), given, inside);
}

// The same of an SVG.
export function shape(name, given = {}, ...inside) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), given, inside);
}

function fill(made, given, inside) {
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.flat().filter((part) => part !== null && part !== undefined));
  return made;
}
