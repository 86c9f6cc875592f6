// Sessions of large models that are loaded one at a time: the one that runs takes the turn of the
// one before, which is released and loaded again when its turn comes.
import type { RuntimeSession } from '../runtime/runtime.js';

export class SessionTurns {
  #holder: TurnSession | null = null;

  /** `load` makes the session whenever it is its turn. */
  session(load: () => Promise<RuntimeSession>): TurnSession {
    return new TurnSession(this, load);
  }

  async take(session: TurnSession): Promise<void> {
    if (this.#holder === session) return;
    await this.#holder?.release();
    this.#holder = session;
  }
}

export class TurnSession {
  readonly #turns: SessionTurns;
  readonly #load: () => Promise<RuntimeSession>;
  #session: RuntimeSession | null = null;

  constructor(turns: SessionTurns, load: () => Promise<RuntimeSession>) {
    this.#turns = turns;
    this.#load = load;
  }

  /** Throws RUNTIME_CANNOT_LOAD, too. */
  async run(...sample: Parameters<RuntimeSession['run']>): ReturnType<RuntimeSession['run']> {
    await this.#turns.take(this);
    this.#session ??= await this.#load();
    return this.#session.run(...sample);
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }
}
