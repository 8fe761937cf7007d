// The status bar: what works and what does not, in chips, a strip and a dialog.

import { age, api, counted, dateTime, hasText, icon, make, number, pick, text } from "/static/web/edge.js";

const EVERY_MS = 3000;
const SEVERE = new Set(["store_unwritable", "no_watchlist", "scanner_absent", "scanner_failing", "clock_untrusted", "watchlist_unverified"]);

/** Show GET /api/status now and from now on; returns what asks at once. */
export function followStatus() {
  const ask = async () => {
    try {
      show(await api("/api/status", { isBackground: true }));
    } catch {
      // The line "connection lost" says it; the chips keep what was last known.
    }
  };
  ask();
  setInterval(ask, EVERY_MS);
  for (const opener of [pick("#chips"), document.getElementById("mode-strip")]) {
    opener?.addEventListener("click", openState);
  }
  return ask;
}

export function openState() {
  const dialog = pick("#modes-dialog");
  if (!dialog.open) dialog.showModal();
}

function show(status) {
  const chips = chipsOf(status);
  const frame = pick("#chips");
  const key = JSON.stringify(chips);
  if (frame.dataset.key !== key) {
    frame.dataset.key = key;
    const focused = document.activeElement?.dataset?.chip;
    frame.replaceChildren(...chips.map(chip));
    if (focused) frame.querySelector(`[data-chip="${focused}"]`)?.focus();
  }
  showStrip(status.degraded);
  showFacts(chips, status.degraded);
}

/** name, level, icon, value, label of each chip. */
function chipsOf(status) {
  const { link, hub, watchlist, devices, disk, clock } = status;
  const list = [
    chipOf("link", link?.state === "up" ? "ok" : link?.state === "none" ? "off" : "bad", link?.state === "up" ? "link" : "no-link", text(`link.${link?.state ?? "unknown"}`), true),
    chipOf("hub", levelOf(hub?.state, ["ok", "heard", "up"]), "hub", hub?.heard_at ? age(hub.heard_at) : text("status.never")),
    chipOf("watchlist", levelOf(watchlist?.state, ["fresh", "local"]), "list", watchlistText(watchlist), true),
    chipOf("scanner", levelOf(devices?.scanner, ["on", "ok", "ready"]), "fingerprint", deviceText(devices?.scanner)),
    chipOf("camera", levelOf(devices?.camera, ["opening", "on", "ok", "ready", "running", "streaming"]), "camera", deviceText(devices?.camera)),
    chipOf("disk", disk?.is_low ? "bad" : "ok", "disk", disk?.free_bytes === undefined ? "–" : text("status.free", { size: size(disk.free_bytes) })),
    chipOf("clock", clock?.is_trusted === false ? "bad" : "ok", "clock", clock?.is_trusted === false ? text("status.clock_bad") : text("status.clock_good")),
  ];
  if (status.outbox_depth > 0) list.splice(2, 0, chipOf("outbox", "warning", "mail", counted("status.outbox", status.outbox_depth), true));
  return list;
}

const chipOf = (name, level, symbol, value, isKept = false) => ({ name, level, symbol, value, isKept });
const levelOf = (state, good) => (state === undefined || state === null ? "warning" : good.includes(state) ? "ok" : "bad");
const deviceText = (state) => text(hasText(`device.${state}`) ? `device.${state}` : "device.unknown");

function watchlistText(watchlist) {
  if (!watchlist) return "–";
  const count = number(watchlist.count ?? 0);
  if (!watchlist.as_of) return text("status.watchlist_plain", { count });
  // A narrow screen shows how old it is; the dialog and the label say all.
  const isNarrow = matchMedia("(width <= 1000px)").matches;
  return text(isNarrow ? "status.watchlist_short" : "status.watchlist", { count, age: age(watchlist.as_of) });
}

const size = (bytes) =>
  bytes > 1e9 ? number(bytes / 1e9, { style: "unit", unit: "gigabyte", maximumFractionDigits: 0 })
    : number(bytes / 1e6, { style: "unit", unit: "megabyte", maximumFractionDigits: 0 });

function chip({ name, level, symbol, value, isKept }) {
  const label = `${text(`chip.${name}`)}: ${value}`;
  const marks = { ok: symbol, warning: symbol, bad: symbol, off: symbol };
  return make("button", { class: "chip", type: "button", "data-chip": name, "data-testid": `status-${name}`, "data-level": level, "data-keep": isKept, title: label, "aria-label": label },
    icon(level === "bad" && symbol === "list" ? "triangle" : marks[level]), make("span", { class: "value", text: value }));
}

function showStrip(modes) {
  const strip = document.getElementById("mode-strip");
  if (!strip) return;
  strip.hidden = modes.length === 0;
  const key = modes.map((mode) => mode.mode).join();
  if (strip.dataset.key === key) return;
  strip.dataset.key = key;
  strip.dataset.level = modes.some((mode) => SEVERE.has(mode.mode)) ? "bad" : "warning";
  strip.replaceChildren(...modes.slice(0, 2).map((mode) =>
    make("p", { "data-mode": mode.mode }, make("b", { text: modeText(mode, "name") }), ` ${modeText(mode, "works")}`)));
  if (modes.length) {
    const more = modes.length > 2 ? counted("status.more", modes.length - 2) : text("status.details");
    strip.append(make("button", { class: "button small", type: "button", text: more }));
  }
}

/** The text of a mode in the page's language; what the server says where there is none. */
function modeText(mode, part) {
  const key = `mode.${mode.mode}.${part}`;
  if (hasText(key)) return text(key, mode.values ?? {});
  return part === "name" ? text(`mode.${mode.mode}`) : mode[part] ?? "";
}

function showFacts(chips, modes) {
  const facts = pick("#state-facts");
  facts.replaceChildren(...chips.flatMap(({ name, level, value }) => [
    make("dt", { text: text(`chip.${name}`) }),
    make("dd", {}, make("span", { class: "badge", "data-level": { ok: "good", off: "" }[level] ?? level }, icon(level === "ok" ? "check" : level === "off" ? "minus" : "triangle"), value)),
  ]));
  pick("#modes-list").replaceChildren(...modes.map((mode) =>
    make("div", { class: "note", "data-level": SEVERE.has(mode.mode) ? "bad" : "warning" }, icon("triangle"),
      make("div", { class: "stack tight" }, make("b", { text: modeText(mode, "name") }), make("p", { text: `${text("status.works")} ${modeText(mode, "works")}` }),
        make("p", { text: `${text("status.does_not")} ${modeText(mode, "does_not")}` }), mode.since ? make("small", { class: "muted", text: dateTime(mode.since) }) : null))));
  if (modes.length === 0) pick("#modes-list").append(make("div", { class: "note", "data-level": "good" }, icon("check-circle"), make("p", { text: text("status.all_well") })));
}

