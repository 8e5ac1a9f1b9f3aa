// The service, asked through its public contract and nothing else.
import { parse } from "./npy.js";
import { Problem, problemOf } from "./problem.js";

const NPY = "application/x-npy";
const LINES = "application/x-ndjson";
const KEY = "reparam-key";

export class Api {
  // `onAsk` hears of each question to a model; `askForKey` answers a key where one is needed.
  constructor(onAsk, askForKey) {
    this.onAsk = onAsk;
    this.askForKey = askForKey;
    this.described = new Map();
  }

  async models() {
    return (await (await this.get("/v2/models")).json()).models;
  }

  // A version never changes, so what was said of it once still holds.
  async model({ name, version }) {
    const path = `/v2/models/${name}/versions/${version}`;
    if (!this.described.has(path)) this.described.set(path, await (await this.get(path)).json());
    return this.described.get(path);
  }

  async picture(path) {
    return URL.createObjectURL(await (await this.get(path)).blob());
  }

  async json(model, verb, body, signal) {
    return (await this.ask(model, verb, body, "application/json", signal)).json();
  }

  // The first of the outputs, as numbers.
  async tensor(model, verb, body, signal) {
    return parse(await (await this.ask(model, verb, body, NPY, signal)).arrayBuffer());
  }

  // Rows as they come; one that carries a status is a problem. `whole` is what this is a piece of.
  async *lines(model, verb, body, signal, whole = body) {
    const response = await this.ask(model, verb, body, LINES, signal, whole);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      for (const line of lines) yield checked(JSON.parse(line));
    }
  }

  ask(model, verb, body, accept, signal, whole = body) {
    const path = `/v2/models/${model.name}/${verb}`;
    this.onAsk({ path, body: whole, accept, hasKey: Boolean(this.key) });
    const headers = { "Content-Type": "application/json", Accept: accept };
    return this.send(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  }

  // Tell of a description as of a question.
  tell(path) {
    this.onAsk({ path, hasKey: Boolean(this.key) });
  }

  get(path) {
    return this.send(path, { headers: {} });
  }

  async send(path, request) {
    const used = this.key;
    if (used) request.headers.Authorization = `Bearer ${used}`;
    const response = await reached(path, request);
    if (response.ok) return response;
    if (response.status !== 401) throw await problemOf(response);
    if (this.key === used) await this.renewKey();
    return this.send(path, request);
  }

  // One dialog, however many questions wait for its key.
  renewKey() {
    this.renewal ??= this.askForKey().then((key) => {
      this.key = key;
      this.renewal = null;
    });
    return this.renewal;
  }

  get key() {
    return sessionStorage.getItem(KEY) ?? "";
  }

  set key(key) {
    sessionStorage.setItem(KEY, key);
  }
}

async function reached(path, request) {
  try {
    return await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "the service cannot be reached; is it still running?");
  }
}

function checked(line) {
  if ("status" in line) throw new Problem(line.status, line.detail);
  return line;
}
