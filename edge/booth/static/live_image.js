// The newest picture of a running check on a canvas: held nowhere, drawn over at once.

/** Ask for picture after picture while a check runs. path: of the pictures. */
export class LiveImage {
  #path;
  #canvas;
  #station;
  #frame = 0;
  #run = null;

  constructor(path, canvas) {
    this.#path = path;
    this.#canvas = canvas;
    this.#station = canvas.closest("[data-state]");
  }

  /** Begin; does nothing where it runs already. */
  start() {
    if (this.#run) return;
    this.#run = new AbortController();
    this.#frame = 0;
    this.#loop(this.#run.signal);
  }

  /** Stop; the last picture stays until clear(). */
  stop() {
    this.#run?.abort();
    this.#run = null;
  }

  /** Remove the picture. */
  clear() {
    this.stop();
    this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#station.dataset.live = "false";
  }

  async #loop(signal) {
    while (!signal.aborted) {
      try {
        const answer = await fetch(`${this.#path}?after=${this.#frame}`, {
          signal, cache: "no-store", headers: { "X-Background": "1" },
        });
        if (answer.status === 200) await this.#draw(answer, signal);
        else if (answer.status !== 204) await pause(1000);
      } catch {
        if (!signal.aborted) await pause(500);
      }
    }
  }

  async #draw(answer, signal) {
    this.#frame = Number(answer.headers.get("X-Frame") ?? this.#frame);
    const picture = await createImageBitmap(await answer.blob());
    if (!signal.aborted) {
      if (this.#canvas.width !== picture.width) this.#canvas.width = picture.width;
      if (this.#canvas.height !== picture.height) this.#canvas.height = picture.height;
      this.#canvas.getContext("2d").drawImage(picture, 0, 0);
      this.#station.dataset.live = "true";
      this.#station.dataset.frames = String(Number(this.#station.dataset.frames ?? 0) + 1);
    }
    picture.close();
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
