import type { SettingsWatch } from './settings-watch.js';

/** The settings watch, on and off as the setting `watch` wants it. Owned by launcher. */
export class WatchSwitch {
  readonly #open: () => Promise<SettingsWatch>;
  #watch: SettingsWatch | undefined;
  /** The turn under way; the next one waits for it. */
  #turn: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<SettingsWatch>) {
    this.#open = open;
  }

  /** Resolves when it is so. */
  turn(isOn: boolean): Promise<void> {
    this.#turn = this.#turn.then(() => (isOn ? this.#begin() : this.#end()));
    return this.#turn;
  }

  // Private

  async #begin(): Promise<void> {
    this.#watch ??= await this.#open();
  }

  async #end(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.close();
  }
}
