// The two stations of the main screen: the finger on the scanner, the face before the camera.

import { make, makeSvg, number, pick, text } from "/static/web/edge.js";
import { LiveImage } from "./live_image.js";

const WAYS = {
  left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1], chin_up: [0, -1], chin_down: [0, 1],
};
// Between the eyes, in shares of the frame's width: too far, good, too near.
const GOOD_EYES = [0.14, 0.3];

export const fingerName = (position) => text(`finger.${position ?? 0}`);

/** State of a station: waits, asked, done, skipped. */
function setStation(station, state, level = "") {
  station.dataset.state = state;
  station.dataset.level = level;
}

export class FingerStation {
  #station = pick("#finger-station");
  #live = new LiveImage("/api/live/finger", pick("#finger-image"));
  #ring = pick("#finger-ring");
  #score = pick("#finger-score");

  clear(positions) {
    this.#live.clear();
    setStation(this.#station, "waits");
    this.#say("");
    this.#level(null);
    for (const digit of document.querySelectorAll(".hand .digit")) {
      digit.dataset.state = positions.includes(Number(digit.dataset.position)) ? "next" : "";
    }
    pick("#finger-name").textContent = positions.map(fingerName).join(" · ");
  }

  /** Show an event of a running check that speaks of fingers. */
  show(event) {
    if (event.stage === "capture") this.#live.start();
    if (event.position) this.#ask(event.position);
    setStation(this.#station, "asked", event.reasons.length ? "warning" : "");
    const guidance = event.finger;
    const quality = guidance?.quality ?? event.quality;
    this.#level(quality, event.reasons);
    this.#say(this.#instruction(event, guidance));
  }

  finish(state) {
    this.#live.stop();
    setStation(this.#station, state);
    this.#say(text(state === "done" ? "station.finger_done" : "station.skipped"));
    for (const digit of document.querySelectorAll('.hand .digit[data-state="asked"]')) digit.dataset.state = state;
  }

  stop() {
    this.#live.clear();
  }

  #instruction(event, guidance) {
    if (event.stage === "search") return text("station.searching");
    if (event.stage === "extract") return text("station.reading");
    if (event.reasons.length && !(guidance && guidance.instruction !== "place_finger")) {
      const reason = event.reasons.find((code) => code !== "below_threshold") ?? event.reasons[0];
      return text(`reason.${reason}`);
    }
    // The first rows of a picture come before the first word on them.
    const usual = this.#station.dataset.live === "true" ? "hold_still" : "place_finger";
    return text(`finger_instruction.${guidance?.instruction ?? usual}`);
  }

  #ask(position) {
    for (const digit of document.querySelectorAll(".hand .digit")) {
      const isAsked = Number(digit.dataset.position) === position;
      if (isAsked) digit.dataset.state = "asked";
      else if (digit.dataset.state === "asked") digit.dataset.state = "done";
    }
    pick("#finger-name").textContent = fingerName(position);
  }

  #level(quality, reasons = []) {
    const isKnown = quality !== null && quality !== undefined;
    this.#score.hidden = !isKnown;
    this.#score.textContent = isKnown ? number(quality) : "";
    this.#score.setAttribute("aria-label", isKnown ? text("station.quality", { quality: number(quality) }) : "");
    this.#ring.setAttribute("stroke-dasharray", `${isKnown ? Math.max(2, quality) : 0} 100`);
    this.#ring.dataset.level = !isKnown ? "none" : reasons.includes("below_threshold") || quality < 20 ? "bad" : reasons.length ? "" : "good";
  }

  #say(words) {
    const line = pick("#finger-instruction");
    if (line.textContent !== words) line.textContent = words;
  }
}

export class FaceStation {
  #station = pick("#face-station");
  #live = new LiveImage("/api/live/face", pick("#face-image"));
  #frame = pick("#face-frame");
  #picks = pick("#face-picks");
  #onPick;

  /** onPick: told the middle of a face that the officer points at, in pixels. */
  constructor(onPick) {
    this.#onPick = onPick;
  }

  clear() {
    this.#live.clear();
    setStation(this.#station, "waits");
    this.#say("");
    this.#frame.replaceChildren();
    this.#picks.replaceChildren();
    pick("#distance").hidden = true;
    pick("#face-score").hidden = true;
  }

  show(event) {
    if (event.stage === "capture") this.#live.start();
    const guidance = event.guidance;
    const isFine = !guidance || guidance.instruction === "ok";
    setStation(this.#station, "asked", isFine ? "" : "warning");
    if (event.stage === "search") return this.#say(text("station.searching"));
    if (!guidance) {
      const reason = event.reasons[0];
      return this.#say(text(reason ? `reason.${reason}` : "face_instruction.look_at_camera"));
    }
    this.#say(text(`face_instruction.${guidance.instruction}`));
    this.#draw(guidance);
    const score = pick("#face-score");
    score.hidden = event.quality === null;
    score.textContent = text("station.quality", { quality: number(event.quality ?? 0) });
    return undefined;
  }

  finish(state) {
    this.#live.stop();
    this.#picks.replaceChildren();
    setStation(this.#station, state);
    this.#say(text(state === "done" ? "station.face_done" : "station.skipped"));
  }

  stop() {
    this.clear();
  }

  #say(words) {
    const line = pick("#face-instruction");
    if (line.textContent !== words) line.textContent = words;
  }

  #draw(guidance) {
    const { width_px: width, height_px: height } = guidance.frame;
    this.#frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const shapes = [makeSvg("ellipse", { class: "target", cx: width / 2, cy: height * 0.5, rx: height * 0.28, ry: height * 0.37 })];
    for (const box of guidance.faces) {
      if (!isSame(box, guidance.face)) shapes.push(rectangle(box, "other"));
    }
    if (guidance.face) shapes.push(corners(guidance.face, guidance.is_usable), ...way(guidance));
    this.#frame.replaceChildren(...shapes);
    this.#offer(guidance, width, height);
    this.#showDistance(guidance, width);
  }

  #offer(guidance, width, height) {
    const isOpen = guidance.faces.length > 1 && !guidance.is_picked;
    if (!isOpen) return this.#picks.replaceChildren();
    // Buttons are moved, not made anew: a finger or the focus may be on one.
    while (this.#picks.children.length > guidance.faces.length) this.#picks.lastElementChild.remove();
    while (this.#picks.children.length < guidance.faces.length) this.#picks.append(this.#button());
    guidance.faces.forEach((box, index) => place(this.#picks.children[index], box, index, width, height));
    return undefined;
  }

  #button() {
    const button = make("button", { type: "button" }, make("span"));
    button.addEventListener("click", () => this.#onPick(Number(button.dataset.x), Number(button.dataset.y)));
    return button;
  }

  #showDistance(guidance, width) {
    const eyes = guidance.measures.inter_eye_px;
    const gauge = pick("#distance");
    gauge.hidden = eyes === undefined;
    if (eyes === undefined) return;
    const share = eyes / width;
    const [low, high] = GOOD_EYES;
    const at = share < low ? (share / low) * 70 : 70 + Math.min(1.6, (share - low) / (high - low)) * 80;
    pick("#distance-mark").setAttribute("x", String(Math.min(194, at)));
  }
}

function place(button, box, index, width, height) {
  const size = { x: box.left_px / width, y: box.top_px / height, w: (box.right_px - box.left_px) / width, h: (box.bottom_px - box.top_px) / height };
  for (const [name, value] of Object.entries(size)) button.style.setProperty(`--${name}`, String(value));
  button.dataset.x = String(clamp((box.left_px + box.right_px) / 2, width));
  button.dataset.y = String(clamp((box.top_px + box.bottom_px) / 2, height));
  button.dataset.testid = `face-${index + 1}`;
  button.setAttribute("aria-label", text("station.take_face", { number: index + 1 }));
  button.firstElementChild.textContent = text("station.this_one");
}

const clamp = (value, most) => Math.max(0, Math.min(most - 1, value));

const isSame = (a, b) => Boolean(a && b) && Math.abs(a.left_px - b.left_px) < 2 && Math.abs(a.top_px - b.top_px) < 2;

const rectangle = (box, name) =>
  makeSvg("rect", { class: name, x: box.left_px, y: box.top_px, width: Math.max(1, box.right_px - box.left_px), height: Math.max(1, box.bottom_px - box.top_px), rx: 12 });

function corners(box, isUsable) {
  const { left_px: l, top_px: t, right_px: r, bottom_px: b } = box;
  const c = Math.min(r - l, b - t) * 0.22;
  const path = `M${l} ${t + c}V${t}H${l + c}M${r - c} ${t}H${r}V${t + c}M${r} ${b - c}V${b}H${r - c}M${l + c} ${b}H${l}V${b - c}`;
  return makeSvg("path", { class: "box", d: path, "data-level": isUsable ? "good" : "" });
}

// An arrow beside the face to where it has to go. Left is the traveller's own left: on the
// mirrored picture it is left as well, in the frame's own pixels right.
function way(guidance) {
  const direction = WAYS[guidance.instruction];
  if (!direction) return [];
  const { left_px: l, top_px: t, right_px: r, bottom_px: b } = guidance.face;
  const [x, y] = [(l + r) / 2, (t + b) / 2];
  const [dx, dy] = [-direction[0], direction[1]];
  const reach = dx ? (r - l) / 2 + 34 : (b - t) / 2 + 34;
  const turn = (Math.atan2(dy, dx) * 180) / Math.PI;
  return [makeSvg("path", { class: "way", d: "M-22-10H4V-24L34 0 4 24V10H-22z", transform: `translate(${x + dx * reach} ${y + dy * reach}) rotate(${turn})` })];
}
