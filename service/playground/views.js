// The views, in the order in which they are offered.
import * as sample from "./views/sample.js";
import * as latent from "./views/latent.js";
import * as interpolate from "./views/interpolate.js";
import * as draw from "./views/draw.js";
import * as complete from "./views/complete.js";
import * as compare from "./views/compare.js";
import * as card from "./views/card.js";

export const VIEWS = [sample, latent, interpolate, draw, complete, compare, card];
