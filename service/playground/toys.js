// The true modes of the two-dimensional toys, by the name of their data set: as training/datasets/toys.py draws them,
// 8 on the unit circle (VEEGAN, Srivastava et al. 2017) and 25 at every second whole place (PacGAN, Lin et al. 2018).
const RING = Array.from({ length: 8 }, (_, i) => [Math.cos((2 * Math.PI * i) / 8), Math.sin((2 * Math.PI * i) / 8)]);
const GRID = [-4, -2, 0, 2, 4].flatMap((y) => [-4, -2, 0, 2, 4].map((x) => [x, y]));

export const MIXTURES = { ring: { modes: RING, deviation: 0.01 }, grid: { modes: GRID, deviation: 0.05 } };

const NEAR = 3; // standard deviations, within which a sample counts as one of a mode

// How many modes have a sample near, and which share of the samples is near one.
export function coverage({ modes, deviation }, points) {
  const found = new Set();
  let near = 0;
  for (const [x, y] of points) {
    const mode = modes.findIndex(([a, b]) => Math.hypot(x - a, y - b) <= NEAR * deviation);
    if (mode >= 0) near += 1;
    if (mode >= 0) found.add(mode);
  }
  return { found: found.size, modes: modes.length, share: near / points.length };
}
