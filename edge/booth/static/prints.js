// Two prints side by side with their minutiae and what corresponds, to toggle and zoom.

import { icon, make, makeSvg, number, text } from "/static/web/edge.js";

const GAP = 24;
const COLOURS = 8;
const LINES_SHOWN = 60;

export class PrintsView {
  #svg;
  #box;
  #view;
  #marks = true;
  #toggle;

  /** finger: one of GET .../comparisons. */
  constructor(given) {
    // A print whose template is not there has no size: an empty sheet stands for it.
    const sized = (print) => ({ ...print, width_px: print.width_px ?? 256, height_px: print.height_px ?? 288 });
    const finger = { ...given, probe: sized(given.probe), reference: sized(given.reference) };
    const { probe, reference } = finger;
    const width = probe.width_px + GAP + reference.width_px;
    const height = Math.max(probe.height_px, reference.height_px);
    this.#box = { x: 0, y: 0, w: width, h: height };
    this.#view = { ...this.#box };
    const offset = probe.width_px + GAP;
    this.#svg = makeSvg("svg", { class: "prints", role: "img", tabindex: "0", "aria-label": text("prints.label", { pairs: number(finger.pairs.length) }), "data-testid": "prints" },
      ...side(probe, 0), ...side(reference, offset),
      makeSvg("g", { class: "marks" }, ...loose(finger, probe.minutiae, 0, 0), ...loose(finger, reference.minutiae, offset, 1), ...pairs(finger, offset)));
    this.#show();
    this.#listen();
  }

  /** The picture with its captions and buttons. */
  element(captions) {
    this.#toggle = button("lines", "prints.marks", () => this.toggle(), "M");
    this.#toggle.setAttribute("aria-pressed", "true");
    return make("div", { class: "prints-frame" },
      make("div", { class: "prints-captions" }, ...captions),
      this.#svg,
      make("div", { class: "prints-tools" }, this.#toggle,
        button("minus", "prints.smaller", () => this.zoom(1 / 1.4)), button("plus", "prints.larger", () => this.zoom(1.4)), button("fit", "prints.whole", () => this.whole())));
  }

  toggle() {
    this.#marks = !this.#marks;
    this.#svg.classList.toggle("bare", !this.#marks);
    this.#toggle?.setAttribute("aria-pressed", String(this.#marks));
  }

  /** Enlarge about a point in the picture's own pixels, its middle if none is given. */
  zoom(factor, x = this.#view.x + this.#view.w / 2, y = this.#view.y + this.#view.h / 2) {
    const w = Math.min(this.#box.w, Math.max(this.#box.w / 8, this.#view.w / factor));
    const share = w / this.#view.w;
    this.#view = { x: x - (x - this.#view.x) * share, y: y - (y - this.#view.y) * share, w, h: this.#view.h * share };
    this.#show();
  }

  whole() {
    this.#view = { ...this.#box };
    this.#show();
  }

  move(dx, dy) {
    this.#view.x += dx * this.#view.w * 0.12;
    this.#view.y += dy * this.#view.h * 0.12;
    this.#show();
  }

  /** Do what a key asks for; false if it asks for nothing here. */
  key(name) {
    const acts = {
      m: () => this.toggle(), "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), 0: () => this.whole(),
      ArrowLeft: () => this.move(-1, 0), ArrowRight: () => this.move(1, 0), ArrowUp: () => this.move(0, -1), ArrowDown: () => this.move(0, 1),
    };
    acts[name]?.();
    return name in acts;
  }

  #show() {
    const { x, y, w, h } = this.#view;
    this.#view.x = Math.max(this.#box.x, Math.min(x, this.#box.w - w));
    this.#view.y = Math.max(this.#box.y, Math.min(y, this.#box.h - h));
    this.#svg.setAttribute("viewBox", `${this.#view.x} ${this.#view.y} ${w} ${h}`);
  }

  #listen() {
    let held = null;
    this.#svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, ...this.#at(event));
    }, { passive: false });
    this.#svg.addEventListener("dblclick", (event) => this.zoom(2, ...this.#at(event)));
    this.#svg.addEventListener("pointerdown", (event) => {
      held = this.#at(event);
      this.#svg.setPointerCapture(event.pointerId);
    });
    this.#svg.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [x, y] = this.#at(event);
      this.#view.x -= x - held[0];
      this.#view.y -= y - held[1];
      this.#show();
    });
    for (const name of ["pointerup", "pointercancel"]) this.#svg.addEventListener(name, () => { held = null; });
  }

  #at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.#svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }
}

function side(print, x) {
  const { width_px: width, height_px: height, url } = print;
  const ground = makeSvg("rect", { class: url ? "paper" : "paper empty", x, y: 0, width, height, rx: 6 });
  return url ? [ground, makeSvg("image", { href: url, x, y: 0, width, height, preserveAspectRatio: "none" })] : [ground];
}

function loose(finger, minutiae, x, sideIndex) {
  const paired = new Set(finger.pairs.map((pair) => pair[sideIndex]));
  return minutiae.flatMap((minutia, index) => (paired.has(index) ? [] : [mark(minutia, x, "loose")]));
}

function pairs(finger, offset) {
  const lines = [];
  const marks = [];
  finger.pairs.forEach(([i, j], index) => {
    const [a, b] = [finger.probe.minutiae[i], finger.reference.minutiae[j]];
    if (!a || !b) return;
    const colour = `pair-${index % COLOURS}`;
    if (index < LINES_SHOWN) lines.push(makeSvg("line", { class: `link ${colour}`, x1: a[0], y1: a[1], x2: b[0] + offset, y2: b[1] }));
    marks.push(mark(a, 0, `paired ${colour}`), mark(b, offset, `paired ${colour}`));
  });
  return [...lines, ...marks];
}

// A ridge ending is a circle, a bifurcation a square; the stroke follows the ridge.
function mark([x, y, angle, kind], offset, name) {
  const turn = (angle * Math.PI) / 180;
  const reach = 11;
  const isEnding = kind === 1 || kind === "ending";
  const body = isEnding ? makeSvg("circle", { r: 4 }) : makeSvg("rect", { x: -3.6, y: -3.6, width: 7.2, height: 7.2 });
  return makeSvg("g", { class: `minutia ${name}`, transform: `translate(${x + offset} ${y})` },
    makeSvg("line", { x1: Math.cos(turn) * 4, y1: -Math.sin(turn) * 4, x2: Math.cos(turn) * reach, y2: -Math.sin(turn) * reach }), body);
}

function button(name, key, act, letter = "") {
  const made = make("button", { class: "button small", type: "button", "aria-label": text(key), title: text(key) + (letter ? ` (${letter})` : "") }, icon(name));
  made.addEventListener("click", act);
  return made;
}
