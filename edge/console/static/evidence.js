// Probe and reference side by side, with the minutiae that correspond.

import { api, icon, make, makeSvg } from "/static/web/edge.js";

const MOST_PAIRS = 30;

/** The comparisons of a case; none if they cannot be made. */
export async function comparisonsOf(hitId) {
  try {
    return (await api(`/api/cases/${encodeURIComponent(hitId)}/comparisons`, { isBackground: true })).fingers;
  } catch {
    return [];
  }
}

/** Pairs of images: compared prints first, then faces, then what is left. */
export function imagePairs(detail, comparisons) {
  const found = comparisons.map(printPair);
  const faces = { probe: detail.probe.filter(isFace), reference: detail.reference.filter(isFace) };
  if (faces.probe.length || faces.reference.length) found.push(pair("Face", plain(faces.probe[0], "Face at the booth"), plain(faces.reference[0], "Face of the watchlist")));
  const compared = new Set(comparisons.map((item) => item.probe_url));
  const rest = detail.probe.filter((image) => !isFace(image) && !compared.has(image.url));
  for (const image of rest) found.push(pair(image.position_name || "Print", plain(image, "Print at the booth"), plain(null)));
  if (!found.length) found.push(make("p", { class: "muted", text: "This hit came without images." }));
  return found;
}

const isFace = (image) => image.modality === "face";

function pair(name, probe, reference, note = "") {
  return make("figure", { class: "pair", "data-testid": "image-pair" }, make("figcaption", { class: "row ends" }, make("strong", { text: capital(name) }), make("span", { class: "muted small", text: note })), make("div", { class: "sides" }, probe, reference));
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function plain(image, label) {
  if (!image) return make("div", { class: "no-image" }, icon("face"), make("span", { text: "no image" }));
  return make("div", { class: "side" }, make("img", { src: image.url, alt: label }));
}

function printPair(item) {
  const pairs = item.pairs.slice(0, MOST_PAIRS);
  const probe = drawn(item.probe_url, item.probe_size, item.probe, pairs.map((both) => both[0]), "Print at the booth");
  const reference = drawn(item.reference_url, item.reference_size, item.reference, pairs.map((both) => both[1]), "Print of the watchlist");
  light(probe, reference);
  return pair(item.position_name, probe, reference, `${item.pairs.length} corresponding minutiae`);
}

/** An image with its minutiae over it; numbers are those of the pairs. */
function drawn(url, [width, height], minutiae, paired, label) {
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, class: "minutiae", "aria-hidden": "true" });
  const numbers = new Map(paired.map((index, place) => [index, place]));
  minutiae.forEach(([x, y, degrees, kind], index) => {
    const place = numbers.get(index);
    const turn = (-degrees * Math.PI) / 180;
    const shape = kind === 1 ? makeSvg("circle", { cx: x, cy: y, r: 4 }) : makeSvg("rect", { x: x - 4, y: y - 4, width: 8, height: 8 });
    const line = makeSvg("line", { x1: x, y1: y, x2: x + 11 * Math.cos(turn), y2: y + 11 * Math.sin(turn) });
    const number = place === undefined ? null : makeSvg("text", { x: x + 6, y: y - 5 });
    if (number) number.textContent = String(place + 1);
    svg.append(makeSvg("g", { class: place === undefined ? "alone" : "paired", "data-place": place }, shape, line, number));
  });
  const image = url ? make("img", { src: url, alt: label, width, height }) : make("div", { class: "from-template" }, make("span", { text: "from the template" }));
  const side = make("div", { class: "side" }, image, svg);
  side.style.setProperty("aspect-ratio", `${width} / ${height}`);
  return side;
}

/** Point at a minutia: its partner lights up too. */
function light(...sides) {
  for (const side of sides) {
    for (const name of ["pointerover", "pointerout"]) {
      side.addEventListener(name, (event) => {
        const place = event.target.closest?.("[data-place]")?.dataset.place;
        if (place === undefined) return;
        for (const other of sides) other.querySelector(`[data-place="${place}"]`)?.classList.toggle("lit", name === "pointerover");
      });
    }
  }
}
