// A referral: the candidate beside the live capture, and the officers' decision.

import { api, dateTime, hasText, icon, make, number, pick, play, text } from "/static/web/edge.js";
import { decisionCard } from "./hit_decision.js";
import { PrintsView } from "./prints.js";
import { plate } from "./verdict.js";

export class HitView {
  #section;
  #onDone;
  #hitId = null;
  #prints = [];
  #shown = "";
  #comparisons = null;

  /** onDone: told when the officer goes on to the next traveller. */
  constructor(section, { onDone }) {
    this.#section = section;
    this.#onDone = onDone;
  }

  /** Show a hit. result: of the check that found it, while there is no more. */
  async open(hitId, result = null) {
    if (result) play("refer");
    this.#hitId = hitId;
    this.#shown = "";
    this.#comparisons = null;
    this.#section.hidden = false;
    this.#section.replaceChildren(plate("refer", text("outcome.refer.word"), text("hit.loading")));
    await this.refresh();
    this.#section.focus();
  }

  /** Whether a hit is before the officer's eyes. */
  isShown(hitId) {
    return hitId === this.#hitId && !this.#section.hidden;
  }

  /** Something about a hit has changed at the booth or at the hub. */
  changed(hitId) {
    if (hitId === this.#hitId) this.refresh();
  }

  /** Fetch what is shown anew, if anything is. */
  async refresh() {
    if (!this.#hitId || this.#section.hidden) return;
    const path = `/api/hits/${encodeURIComponent(this.#hitId)}`;
    let hit;
    try {
      hit = await api(path, { isBackground: true });
      if (!this.#comparisons || hit.reference_images !== this.#comparisons.images) {
        const found = await api(`${path}/comparisons`, { isBackground: true }).catch(() => ({ fingers: [], face: null }));
        this.#comparisons = { ...found, images: hit.reference_images };
      }
    } catch (error) {
      if (!this.#shown) this.#fail(error.message);
      return;
    }
    if (hit.hit_id !== this.#hitId) return;
    this.#render(hit);
  }

  /** Do what a key asks for in this view. */
  key(event) {
    const verdict = { 1: "confirm", 2: "refute", 3: "cannot_tell" }[event.key];
    const button = verdict && this.#section.querySelector(`[data-verdict="${verdict}"]`);
    if (button) {
      button.click();
      return true;
    }
    return this.#prints.some((prints) => prints.key(event.key.length === 1 ? event.key.toLowerCase() : event.key));
  }

  #fail(message) {
    const again = make("button", { class: "button primary", type: "button", text: text("hit.again") });
    again.addEventListener("click", () => this.refresh());
    const leave = make("button", { class: "button", type: "button", text: text("hit.leave_open") });
    leave.addEventListener("click", this.#onDone);
    this.#section.replaceChildren(plate("refer", text("outcome.refer.word"), text("hit.unreadable")),
      make("div", { class: "note", "data-level": "bad" }, icon("octagon"), make("p", { text: message })), make("div", { class: "row" }, again, leave));
  }

  #render(hit) {
    // What is being typed is kept: the card of the decision is made anew only when the
    // decision itself has changed.
    const key = JSON.stringify([hit.reference_images, this.#comparisons]);
    const decisionKey = JSON.stringify(hit.decision);
    if (key !== this.#shown) {
      this.#shown = key;
      this.#prints = [];
      this.#section.replaceChildren(this.#head(hit), make("div", { class: "hit-evidence" }, ...this.#evidence(hit)),
        make("aside", { class: "hit-side", "aria-label": text("hit.side") }, make("div", { class: "hit-known" }, entryCard(hit), make("div", { id: "hub-answers" })), make("div", { id: "decision-place" })));
      pick("#decision-place", this.#section).dataset.key = "";
    }
    pick("#hub-answers", this.#section).replaceChildren(answersCard(hit));
    const place = pick("#decision-place", this.#section);
    if (place.dataset.key !== decisionKey) {
      place.dataset.key = decisionKey;
      place.replaceChildren(decisionCard(hit, { onChange: () => this.refresh(), onDone: this.#onDone }));
    }
  }

  #head(hit) {
    const best = hit.candidates[0];
    const head = plate("refer", text("outcome.refer.word"), text("hit.lead"));
    head.append(make("div", { class: "one-in", "data-testid": "one-in" }, make("span", { text: text("hit.one_in_lead") }), make("b", { text: oneIn(best?.one_in) }), make("span", { text: text("hit.one_in_tail") })));
    const parts = [head];
    if (hit.is_drill) parts.unshift(make("div", { class: "drill-band", "data-testid": "hit-drill" }, icon("drill"), make("span", { text: text("hit.drill") })));
    return make("header", { class: "hit-head" }, make("h1", { class: "unseen", id: "hit-title", text: text("hit.title") }), ...parts);
  }

  #evidence(hit) {
    const { fingers, face } = this.#comparisons;
    const cards = [];
    if (fingers.length) cards.push(this.#fingersCard(hit, fingers));
    if (face) cards.push(facesCard(hit, face));
    if (!cards.length) cards.push(imagesCard(hit));
    // What is alone has room to be large.
    if (cards.length === 1) cards[0].classList.add("alone");
    cards.push(samplesCard(hit));
    return cards;
  }

  #fingersCard(hit, fingers) {
    const frames = fingers.map((finger) => {
      const prints = new PrintsView(finger);
      this.#prints.push(prints);
      const mine = make("span", { text: text("hit.live", { what: text(`finger.${finger.position}`) }) });
      const theirs = make("span", { text: finger.reference.url ? text("hit.on_list") : text(`hit.reference_${hit.reference_images}`) });
      return make("div", { class: "finger-comparison" }, prints.element([mine, theirs]),
        make("p", { class: "small muted", text: text("prints.legend", { pairs: number(finger.pairs.length) }) }));
    });
    return make("section", { class: "card", "aria-label": text("modality.fingerprint") }, ...frames);
  }
}

const oneIn = (value) => (value ? number(value, value >= 1e6 ? { notation: "compact", maximumFractionDigits: 1, compactDisplay: "long" } : { maximumSignificantDigits: 2 }) : "–");

function facesCard(hit, face) {
  const picture = (url, caption, name) => make("figure", { class: "face-picture" },
    url ? make("img", { src: url, alt: caption, "data-testid": name }) : make("div", { class: "face-missing" }, icon("face"), make("span", { text: text(`hit.reference_${hit.reference_images}`) })),
    make("figcaption", { text: caption }));
  return make("section", { class: "card faces", "aria-label": text("modality.face") },
    picture(face.probe_url, text("hit.live", { what: text("modality.face") }), "face-probe"), picture(face.reference_url, text("hit.on_list"), "face-reference"));
}

function imagesCard(hit) {
  const figures = [...hit.images.probe.map((image) => [image, text("hit.live", { what: text(`modality.${image.modality}`) })]), ...hit.images.reference.map((image) => [image, text("hit.on_list")])];
  return make("section", { class: "card faces" }, ...figures.map(([image, caption]) => make("figure", { class: "face-picture" }, make("img", { src: image.url, alt: caption }), make("figcaption", { text: caption }))));
}

// What each sample says for itself; further candidates are weaker and are named last.
function samplesCard(hit) {
  const rows = hit.candidates.flatMap((candidate, index) => (candidate.samples.length ? candidate.samples : [candidate]).map((sample) =>
    make("tr", {},
      make("th", { scope: "row" }, sample.modality === "face" ? text("modality.face") : text(`finger.${sample.position}`)),
      make("td", {}, index === 0 ? text("hit.this_person") : text("hit.other_person", { number: index + 1 })),
      make("td", { class: "number", text: oneIn(sample.one_in ?? (sample.false_match_rate ? 1 / sample.false_match_rate : null)) }),
      make("td", {}, sample.is_deciding ? make("span", { class: "badge", "data-level": "info", text: text("hit.deciding") }) : ""))));
  const head = ["hit.sample", "hit.candidate", "hit.one_in", "hit.weight"].map((key, index) => make("th", { scope: "col", class: index === 2 ? "number" : null, text: text(key) }));
  return make("details", { class: "card samples-said" }, make("summary", { text: text("hit.each_sample") }),
    make("div", { class: "table-frame" }, make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))));
}

function entryCard(hit) {
  const entry = hit.entry;
  if (!entry) return make("section", { class: "card" }, make("p", { text: text("hit.no_entry") }));
  const facts = [["hit.category", entry.category], ["hit.originator", entry.originator], ["hit.handling", entry.handling_code], ["hit.basis", entry.legal_basis], ["hit.entry_id", entry.entry_id]];
  return make("section", { class: "card entry", "aria-label": text("hit.entry"), "data-testid": "entry" },
    make("p", { class: "muted small", text: text("hit.if_same") }),
    make("h2", { dir: "auto", text: entry.name ?? text("hit.no_name") }),
    make("div", { class: "order", dir: "auto" }, icon("flag"), make("p", { text: entry.instruction || text("hit.no_instruction") })),
    make("dl", { class: "facts" }, ...facts.filter(([, value]) => value).flatMap(([key, value]) => [make("dt", { text: text(key) }), make("dd", { dir: "auto", text: hasText(`category.${value}`) ? text(`category.${value}`) : value })]),
      make("dt", { text: text("hit.found_at") }), make("dd", { text: dateTime(hit.occurred_at) })));
}

function answersCard(hit) {
  const sent = hit.delivered ? [icon("check"), text("hit.delivered")] : [icon("clock"), text("hit.not_delivered")];
  const list = hit.instructions.map((one) => make("li", {}, make("div", {}, make("p", { class: "strong", dir: "auto", text: one.text }), make("small", { class: "muted", text: dateTime(one.at) }))));
  return make("section", { class: "card answers", "aria-label": text("hit.hub"), "aria-live": "polite", "data-testid": "hub-answers" },
    make("div", { class: "row ends" }, make("h3", { text: text("hit.hub") }), make("span", { class: "badge", "data-level": hit.delivered ? "good" : "warning" }, ...sent)),
    list.length ? make("ol", { class: "timeline" }, ...list) : make("p", { class: "muted small", text: text(hit.delivered ? "hit.no_answer" : "hit.waits_for_link") }));
}

