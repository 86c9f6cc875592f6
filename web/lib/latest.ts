// Work of which only the last wanted counts: what comes while some is done waits for its end, and
// gives way to what comes after it. Each must handle its errors.
export class Latest {
  #next: (() => Promise<unknown>) | null = null;
  #isWorking = false;

  async run(work: () => Promise<unknown>): Promise<void> {
    this.#next = work;
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#next) {
      const now = this.#next;
      this.#next = null;
      await now();
    }
    this.#isWorking = false;
  }
}
