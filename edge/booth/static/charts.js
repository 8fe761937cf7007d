// Bars as SVG, each with a table of the same numbers for screen readers.

import { make, makeSvg, number, text } from "/static/web/edge.js";

const WIDTH = 460;
const LABEL = 150;
const ROW = 26;

/** Horizontal bars. rows: {label, value, note}; most: the value of a whole bar. */
export function bars(title, rows, { most = null, unit = (value) => number(value), look = "bar-1" } = {}) {
  if (!rows.length) return frame(title, make("p", { class: "muted", text: text("chart.nothing") }));
  const full = most ?? Math.max(...rows.map((row) => row.value), 1);
  const height = rows.length * ROW + 6;
  const chart = makeSvg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, "aria-hidden": "true" },
    makeSvg("line", { class: "axis", x1: LABEL, x2: LABEL, y1: 0, y2: height }),
    ...rows.flatMap((row, index) => {
      const y = index * ROW + 4;
      const width = Math.max(1, (row.value / full) * (WIDTH - LABEL - (row.note ? 130 : 60)));
      return [makeSvg("text", { x: LABEL - 8, y: y + 14, "text-anchor": "end", text: short(row.label) }),
        makeSvg("rect", { class: look, x: LABEL, y, width, height: ROW - 8, rx: 3 }),
        makeSvg("text", { class: "value", x: LABEL + width + 6, y: y + 14, text: unit(row.value) + (row.note ? ` · ${row.note}` : "") })];
    }));
  return frame(title, chart, table(title, rows, unit));
}

/** Upright bars in stacks by hour. rows: {label, parts: {name: value}}; looks: name -> class. */
export function stacks(title, rows, looks) {
  if (!rows.some((row) => Object.values(row.parts).some(Boolean))) return frame(title, make("p", { class: "muted", text: text("chart.nothing") }));
  const height = 180;
  const full = Math.max(...rows.map((row) => sum(row.parts)), 1);
  const step = (WIDTH - 34) / rows.length;
  const every = Math.ceil(rows.length / 12);
  const lines = [0, 0.5, 1].map((share) => [height - 24 - share * (height - 44), Math.round(full * share)]);
  const chart = makeSvg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, "aria-hidden": "true" },
    ...lines.flatMap(([y, value]) => [makeSvg("line", { class: "rule", x1: 30, x2: WIDTH, y1: y, y2: y }), makeSvg("text", { x: 26, y: y + 4, "text-anchor": "end", text: number(value) })]),
    ...rows.flatMap((row, index) => {
      let y = height - 24;
      const x = 32 + index * step;
      const parts = Object.entries(looks).map(([name, look]) => {
        const size = ((row.parts[name] ?? 0) / full) * (height - 44);
        y -= size;
        const width = Math.min(step * 0.7, 36);
        return makeSvg("rect", { class: look, x: x + (step - width) / 2, y, width, height: size });
      });
      const label = index % every === 0 ? [makeSvg("text", { x: x + step / 2, y: height - 6, "text-anchor": "middle", text: row.label })] : [];
      return [...parts, ...label];
    }));
  const legend = make("ul", { class: "legend" }, ...Object.entries(looks).map(([name, look]) =>
    make("li", {}, makeSvg("svg", { class: "chart", viewBox: "0 0 10 10", "aria-hidden": "true" }, makeSvg("rect", { class: look, width: 10, height: 10, rx: 2 })), text(`outcome.${name}.word`))));
  return frame(title, chart, legend, table(title, rows.map((row) => ({ label: row.label, value: sum(row.parts) })), (value) => number(value)));
}

const sum = (parts) => Object.values(parts).reduce((total, value) => total + (value ?? 0), 0);
const short = (label) => (label.length > 22 ? `${label.slice(0, 21)}…` : label);

function frame(title, ...children) {
  return make("section", { class: "card", "aria-label": title }, make("h2", { text: title }), ...children);
}

function table(title, rows, unit) {
  return make("table", { class: "unseen" }, make("caption", { text: title }),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, make("th", { scope: "row", text: row.label }), make("td", { text: unit(row.value) })))));
}
