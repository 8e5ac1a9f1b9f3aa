// A picture of the user's, as shares of white in the model's size.
import { sizeOf } from "./image.js";

// Dark ink on a light ground is turned around, for the models have seen light on dark.
export async function sharesOf(file, model) {
  const { width, height, channels } = sizeOf(model);
  const bitmap = await opened(file);
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#000";
  const scale = Math.min(width / bitmap.width, height / bitmap.height);
  const [wide, high] = [bitmap.width * scale, bitmap.height * scale];
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, (width - wide) / 2, (height - high) / 2, wide, high);
  const { data } = pen.getImageData(0, 0, width, height);
  const plane = (c) => Array.from({ length: width * height }, (_, i) => data[4 * i + c] / 255);
  if (channels === 3) return [0, 1, 2].flatMap(plane);
  const grey = plane(0).map((red, i) => (red + data[4 * i + 1] / 255 + data[4 * i + 2] / 255) / 3);
  const corners = [grey[0], grey[width - 1], grey.at(-width), grey.at(-1)];
  return corners.reduce((sum, share) => sum + share) > 2 ? grey.map((share) => 1 - share) : grey;
}

async function opened(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error("This file is no picture that the browser can read; PNG, JPEG and WebP are.");
  }
}
