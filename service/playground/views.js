// The views, in the order in which they are offered.
import * as sample from "./views/sample.js";
import * as latent from "./views/latent.js";
import * as interpolate from "./views/interpolate.js";
import * as card from "./views/card.js";

export const VIEWS = [sample, latent, interpolate, card];
