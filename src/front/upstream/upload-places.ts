import type { Exchange } from '../exchange.js';

/**
 * How many uploads may be passed on as they come, each of which occupies a place of the application until its client has sent all of
 * it. The others are read whole first, so that slow clients leave places to everybody else. One object for each pipeline.
 */
export class UploadPlaces {
  readonly #places: number;
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** False: none is left. It is free again at the end of the body, or when the application has answered without it. */
  take({ request, response }: Exchange): boolean {
    if (this.#taken >= this.#places) return false;
    this.#taken += 1;
    let isTaken = true;
    const release = (): void => {
      if (isTaken) this.#taken -= 1;
      isTaken = false;
    };
    request.once('end', release).once('close', release);
    response.once('finish', release);
    return true;
  }
}
