// How many frames the last second had.
export class Pace {
  constructor() {
    this.times = [];
    this.frames = 0;
  }

  note() {
    const now = performance.now();
    this.frames += 1;
    this.times.push(now);
    while (this.times[0] < now - 1000) this.times.shift();
  }

  get perSecond() {
    return this.times.length;
  }
}
