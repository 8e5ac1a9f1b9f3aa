// A task that only ever runs for the latest wish: wishes that come while it runs replace each other.
export class Latest {
  // `lanes` is how many may run at once: while one is on its way, another is worked on.
  constructor(task, onError, lanes = 1) {
    Object.assign(this, { task, onError, lanes, running: new Set(), aborting: new AbortController() });
  }

  want(wish) {
    this.wish = { wish };
    if (this.running.size < this.lanes) {
      const lane = this.run().finally(() => this.running.delete(lane));
      this.running.add(lane);
    }
    return Promise.all(this.running);
  }

  // What runs gives way to the next wish instead of being waited for.
  insist(wish) {
    this.aborting.abort();
    this.aborting = new AbortController();
    return this.want(wish);
  }

  stop() {
    this.wish = null;
    this.aborting.abort();
  }

  async run() {
    while (this.wish) {
      const { wish } = this.wish;
      this.wish = null;
      try {
        await this.task(wish, this.aborting.signal);
      } catch (error) {
        if (error.name !== "AbortError") this.onError(error);
      }
    }
  }
}
