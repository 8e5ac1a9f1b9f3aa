// The dialog that asks for an API key, where the service wants one; the key stays in this tab.
import { element } from "./element.js";

export function askForKey() {
  const dialog = document.getElementById("key");
  const input = element("input", { id: "key-text", type: "password", autocomplete: "off", required: true });
  return new Promise((resolve) => {
    const form = element(
      "form",
      { method: "dialog", onsubmit: () => resolve(input.value.trim()) },
      element("h2", { id: "key-title" }, "This service asks for a key"),
      element("p", {}, "Whoever runs it makes one with reparam-key. It is kept in this tab until you close it."),
      element("label", { for: "key-text" }, "API key"),
      input,
      element("button", { class: "main" }, "Go on"),
    );
    dialog.oncancel = (event) => event.preventDefault(); // without a key there is nothing to see
    dialog.replaceChildren(form);
    dialog.showModal();
  });
}
