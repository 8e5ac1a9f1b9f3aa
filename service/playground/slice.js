// A two-dimensional slice of the space of codes: through an origin, along two of its dimensions.
export class Slice {
  constructor(origin, across, down, reach) {
    Object.assign(this, { origin, across, down, reach });
  }

  // The code at (u, v), both from -1 to 1, v upwards.
  at(u, v) {
    const z = Array.from(this.origin);
    z[this.across] = round(u * this.reach);
    z[this.down] = round(v * this.reach);
    return z;
  }

  // Where the origin itself lies.
  get home() {
    return { u: clamp(this.origin[this.across] / this.reach), v: clamp(this.origin[this.down] / this.reach) };
  }

  // Codes at the middles of side × side cells, row by row from the top.
  cells(side) {
    const middle = (i) => (2 * i + 1) / side - 1;
    return Array.from({ length: side * side }, (_, k) => this.at(middle(k % side), -middle(Math.floor(k / side))));
  }
}

export function clamp(value) {
  return Math.min(1, Math.max(-1, value));
}

function round(value) {
  return Number(value.toFixed(4));
}
