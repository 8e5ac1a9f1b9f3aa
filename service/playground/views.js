// The views, in the order in which they are offered.
import * as sample from "./views/sample.js";
import * as card from "./views/card.js";

export const VIEWS = [sample, card];
