// A place that takes a picture: dropped, or chosen by its button.
import { element } from "./element.js";

export function takePictures(place, label, onFile) {
  const input = element("input", { type: "file", accept: "image/*", "aria-label": label, onchange: () => input.files[0] && onFile(input.files[0]) });
  const is = (over) => (event) => {
    event.preventDefault();
    place.classList.toggle("over-it", over);
  };
  place.addEventListener("dragover", is(true));
  place.addEventListener("dragleave", is(false));
  place.addEventListener("drop", (event) => {
    is(false)(event);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  });
  return input;
}
