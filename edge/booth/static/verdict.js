// A decision as a state nobody can misread: colour, shape, word, sound.

import { icon, make, makeSvg, number, pick, play, text } from "/static/web/edge.js";
import { reasonText } from "./reasons.js";

// Each shape has its own outline, so that it is known without its colour.
const SHAPES = {
  clear: [["circle", { class: "body", cx: 50, cy: 50, r: 48 }], ["path", { class: "sign", d: "M28 52 44 68 74 34" }]],
  refer: [["path", { class: "body", d: "M30 2h40l28 28v40L70 98H30L2 70V30z" }], ["path", { class: "sign", d: "M50 24v32M50 75v.5" }]],
  retry: [["path", { class: "body", d: "M50 3 98 92H2z" }], ["path", { class: "sign", d: "M66 61a17 17 0 1 0 2 15M68 48v14H55" }]],
  degraded: [["path", { class: "body", d: "M50 1 99 50 50 99 1 50z" }], ["path", { class: "sign", d: "M39 41a11 11 0 1 1 16 9c-4 2-5 5-5 8M50 73v.5" }]],
};

/** The shape of a state as children of an SVG of 100 by 100. */
export const shapeOf = (state) => SHAPES[state].map(([name, attributes]) => makeSvg(name, attributes));

/** A small plate for the head of a view. */
export function plate(state, word, what) {
  return make("div", { class: "plate", "data-state": state },
    makeSvg("svg", { class: "shape", viewBox: "0 0 100 100", "aria-hidden": "true" }, ...shapeOf(state)),
    make("div", { class: "grow" }, make("p", { class: "word", text: word }), make("p", { text: what })));
}

/** Fill the big plate with the result of a check and play its tones. */
export function showVerdict(result) {
  const section = pick("#verdict");
  const state = result.outcome;
  section.dataset.outcome = state;
  pick("#plate").dataset.state = state;
  pick("#plate-shape").replaceChildren(...shapeOf(state));
  pick("#plate-word").textContent = text(`outcome.${state}.word`);
  pick("#plate-what").textContent = text(`outcome.${state}.what`);
  const lines = [...result.reasons.map((reason) => ["info", reasonText(reason)]), ...(result.exemptions ?? []).map(exemption)];
  if (result.is_drill) lines.unshift(["drill", text("hit.drill")]);
  if (result.face?.presentation?.decision === "attack" && !result.reasons.some((reason) => reason.includes("presentation"))) {
    lines.push(["triangle", text("reason.presentation_attack_suspected")]);
  }
  pick("#verdict-reasons").hidden = lines.length === 0;
  pick("#reasons-title").textContent = text(`outcome.${state}.why`);
  pick("#reasons-list").replaceChildren(...lines.map(([name, words]) => make("li", {}, icon(name), make("span", { text: words }))));
  section.hidden = false;
  section.focus();
  play(state);
}

/** A check that failed with an error: told plainly, with a way on. */
export function showFailure(message) {
  showVerdict({ outcome: "degraded", reasons: [], exemptions: [] });
  pick("#plate-word").textContent = text("failed.word");
  pick("#plate-what").textContent = text("failed.what");
  pick("#verdict-reasons").hidden = false;
  pick("#reasons-list").replaceChildren(make("li", {}, icon("wrench"), make("span", { class: "isolate", dir: "auto", text: message })));
}

function exemption(one) {
  const what = one.position ? text(`finger.${one.position}`) : one.modality ? text(`modality.${one.modality}`) : text("modality.check");
  const why = one.reason ? text(`exemption.${one.reason}`) : "";
  const note = one.note ? ` “${one.note}”` : "";
  return ["person", text("reason.of", { what, why: `${text(`exemption_kind.${one.kind}`)} ${why}${note}`.trim() })];
}

export const seconds = (milliseconds) => number(milliseconds / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
