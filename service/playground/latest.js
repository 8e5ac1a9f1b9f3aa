// A task that only ever runs for the latest wish: wishes that come while it runs replace each other.
export class Latest {
  constructor(task, onError) {
    this.task = task;
    this.onError = onError;
    this.aborting = new AbortController();
  }

  want(wish) {
    this.wish = { wish };
    if (!this.running) this.running = this.run();
    return this.running;
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
    this.running = null;
  }
}
