// The question just asked, as a line for a shell; long tensors are cut on the page and whole in the clipboard.
import { element } from "./element.js";

const LONGEST = 420;
const FILES = { "application/x-npy": "answer.npy", "image/png": "answer.png" };

export class Curl {
  constructor(place) {
    this.code = element("code");
    this.button = element("button", { type: "button", onclick: () => this.copy() }, "Copy");
    place.append(element("pre", { tabindex: "0", "aria-labelledby": "asked" }, this.code), this.button);
  }

  show(question) {
    this.question = question;
    this.waiting ??= setTimeout(() => this.write(), 100); // a drag asks a hundred times a second
  }

  write() {
    this.waiting = null;
    const line = lineOf(this.question);
    this.code.textContent = line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
    this.button.textContent = "Copy";
  }

  // Browsers lend the clipboard to https and to this machine only; elsewhere the whole line is marked.
  async copy() {
    if (!this.question) return;
    const line = lineOf(this.question);
    if (!navigator.clipboard) {
      this.code.textContent = line;
      getSelection().selectAllChildren(this.code);
      return;
    }
    await navigator.clipboard.writeText(line);
    this.button.textContent = "Copied";
  }
}

export function lineOf({ path, body, accept = "application/json", hasKey }) {
  const parts = [`curl -s ${location.origin}${path}`];
  if (hasKey) parts.push('-H "Authorization: Bearer $KEY"');
  if (accept !== "application/json") parts.push(`-H 'Accept: ${accept}'`);
  if (accept in FILES) parts.push(`-o ${FILES[accept]}`);
  if (body) parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`);
  return parts.join(" ");
}
