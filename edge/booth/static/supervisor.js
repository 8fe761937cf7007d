// The supervisor's page: quality by scanner, finger, officer and hour; drills.

import { api, clockTime, dateTime, follow, hasText, icon, make, number, pick, showConnection, startPage, text, toast } from "/static/web/edge.js";
import { bars, stacks } from "./charts.js";
import { reasonText } from "./reasons.js";
import { followStatus } from "./status.js";

const STATES = { clear: "bar-clear", degraded: "bar-degraded", retry: "bar-retry", refer: "bar-refer" };
const SHOWN = 10;
let hours = 24;

const inSeconds = (value) => (value === null || value === undefined ? "–" : text("pace.seconds", { seconds: number(value, { maximumFractionDigits: 1 }) }));
const refusedOf = (row) => (row.captures ? text("chart.refused_share", { share: number((row.refused ?? 0) / row.captures, { style: "percent" }) }) : "");

async function show() {
  const to = new Date();
  const from = new Date(to - hours * 3600000);
  try {
    const found = await api(`/api/statistics?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`, { isBackground: true });
    showFigures(found);
    pick("#charts").replaceChildren(...charts(found));
  } catch (error) {
    toast(error.message, "bad");
  }
}

function showFigures({ checks, times }) {
  const total = Object.keys(STATES).reduce((sum, state) => sum + (checks[state] ?? 0), 0);
  const whole = (times ?? []).find((one) => one.name === "check");
  const figures = [["chart.checks", number(total), ""], ...Object.keys(STATES).map((state) => [`outcome.${state}.word`, number(checks[state] ?? 0), state]), ["chart.seconds", inSeconds(whole?.median_s), ""]];
  pick("#figures").replaceChildren(...figures.map(([key, value, state]) =>
    make("div", { class: "card", "data-state": state || null }, make("div", { class: "figure" }, make("span", { text: text(key) }), make("b", { text: value })))));
}

function charts(found) {
  const quality = (key, rows, name) => bars(`${text(key)} · ${text("chart.quality")}`,
    (rows ?? []).map((row) => ({ label: name(row), value: row.quality ?? 0, note: refusedOf(row) })), { most: 100 });
  const hour = hours > 48 ? { month: "numeric", day: "numeric" } : { hour: "2-digit", hourCycle: "h23" };
  return [
    stacks(`${text("chart.by_hour")} · ${text("chart.checks")}`, (found.by_hour ?? []).map((row) => ({ label: clockTime(row.hour, hour), parts: Object.fromEntries(Object.keys(STATES).map((state) => [state, row[state] ?? 0])) })), STATES),
    bars(text("chart.reasons"), (found.reasons ?? []).slice(0, SHOWN).map((row) => ({ label: reasonText(row.reason).split(";")[0], value: row.count })), { look: "bar-3" }),
    quality("chart.by_finger", found.by_finger, (row) => text(`finger.${row.position}`)),
    quality("chart.by_scanner", found.by_scanner, (row) => row.name),
    bars(`${text("chart.by_officer")} · ${text("chart.seconds")}`, (found.by_officer ?? []).map((row) => ({ label: row.name, value: row.seconds ?? 0, note: number(row.checks ?? 0) })), { unit: inSeconds }),
    bars(`${text("chart.times")} · ${text("chart.seconds")}`, (found.times ?? []).map((row) => ({ label: timeName(row.name), value: row.median_s ?? 0, note: `95% ${inSeconds(row.p95_s)}` })), { unit: inSeconds, look: "bar-2" }),
  ];
}

function timeName(name) {
  const [modality, stage] = name.includes(".") ? name.split(".") : [null, name];
  const words = text(hasText(`stage.${stage}`) ? `stage.${stage}` : stage);
  return modality ? text("reason.of", { what: text(`modality.${modality}`), why: words }) : words;
}

async function showDrills() {
  try {
    const found = await api("/api/drills", { isBackground: true });
    const results = found.results ?? [];
    const state = pick("#drill-state");
    state.hidden = !found.armed;
    pick("#disarm").hidden = !found.armed;
    state.textContent = found.armed ? text("drill.armed") : "";
    pick("#drill-rows").replaceChildren(...(results.length ? results.map(drillRow) : [make("tr", {}, make("td", { colspan: 5, class: "muted", text: text("drill.none") }))]));
  } catch (error) {
    // A booth without drills has none to show.
    if (error.status === 404) pick("[data-testid=drills]").hidden = true;
    else toast(error.message, "bad");
  }
}

function drillRow(drill) {
  const isFound = Boolean(drill.hit_id);
  const isOver = drill.outcome !== null && drill.outcome !== undefined;
  const result = isFound ? ["good", "check", "drill.found"] : isOver ? ["bad", "triangle", "drill.missed"] : ["info", "clock", "drill.waiting"];
  return make("tr", {}, make("td", {}, make("span", { class: "badge drill", text: text("category.DRILL") }), ` ${dateTime(drill.armed_at)}`),
    make("td", {}, make("span", { class: "badge", "data-level": result[0] }, icon(result[1]), text(result[2]))),
    ...["capture_to_decision_s", "decision_to_hub_s", "decision_to_verdict_s"].map((name) => make("td", { class: "number", text: inSeconds(drill[name]) })));
}

async function arm(event) {
  event.preventDefault();
  try {
    await api("/api/drills", { body: {} });
    await showDrills();
  } catch (error) {
    toast(error.message, "bad");
  }
}

async function disarm() {
  try {
    await api("/api/drills/armed", { method: "DELETE" });
  } catch (error) {
    toast(error.message, "bad");
  }
  await showDrills();
}

startPage();
followStatus();
pick("#hand-over").addEventListener("click", () => pick("#handover-dialog").showModal());
pick("#drill-form").addEventListener("submit", arm);
pick("#disarm").addEventListener("click", disarm);
for (const button of document.querySelectorAll("#ranges [data-hours]")) {
  button.addEventListener("click", () => {
    hours = Number(button.dataset.hours);
    for (const other of document.querySelectorAll("#ranges [data-hours]")) other.setAttribute("aria-pressed", String(other === button));
    show();
  });
}
const again = () => { show(); showDrills(); };
follow("/api/events", { check_finished: again, hit_changed: showDrills }, { onState: showConnection, onOpen: again });
