// The officer's main screen: one check after another, driven by the booth's events.

import { api, counted, follow, make, number, pick, play, showConnection, startPage, stored, store, text, toast } from "/static/web/edge.js";
import { HitView } from "./hit.js";
import { askReason } from "./reasons.js";
import { FaceStation, FingerStation, fingerName } from "./stations.js";
import { followStatus, openState } from "./status.js";
import { seconds, showFailure, showVerdict } from "./verdict.js";

const EXEMPTIONS = ["missing", "bandaged", "worn_ridges", "refused", "child", "medical", "device_trouble", "other"];
const OVERRIDES = ["worn_ridges", "medical", "child", "device_trouble", "other"];
const STEPS = ["fingerprint", "face", "search", "decision"];
const USUAL = { positions: [2], face: true, unavailable: [] };

const work = pick("[data-testid=work]");
const finger = new FingerStation();
const face = new FaceStation((x, y) => post("face", { x_px: x, y_px: y }));
const hits = new HitView(pick("#hit"), { onDone: () => { showIdle(); askOpenHits(); } });
const shift = JSON.parse(sessionStorage.getItem("shift") ?? '{"count":0,"last":[]}');
let order = structuredClone(USUAL);
let check = null; // {ticket, startedAt, modality, position}
let timer = null;

function setView(view) {
  work.dataset.view = view;
  const isHit = view === "hit";
  pick(".stage").hidden = view === "verdict" || isHit;
  pick("#verdict").hidden = view !== "verdict";
  pick("#hit").hidden = !isHit;
  pick(".desk").hidden = isHit;
  pick("#running-actions").hidden = view !== "running";
  pick("#start").hidden = view === "running";
  pick("#idle-actions").hidden = view !== "idle";
  pick("#after-actions").hidden = view !== "verdict";
}

const positionsAsked = () => order.positions.filter((position) => !order.unavailable.some((one) => one.position === position));
const modalitiesAsked = () => [...(positionsAsked().length ? ["fingerprint"] : []), ...(order.face ? ["face"] : [])];

function showIdle() {
  setView("idle");
  check = null;
  clearInterval(timer);
  finger.clear(positionsAsked());
  face.clear();
  for (const step of STEPS) setStep(step, "", "");
  pick("#start-text").textContent = text("start.first");
  pick("#elapsed").textContent = seconds(0);
  pick("#search-progress").hidden = true;
  showOrder();
  say(text("say.ready"));
}

function showOrder() {
  const parts = positionsAsked().map(fingerName);
  if (order.face) parts.push(text("modality.face"));
  pick("#choose-text").textContent = parts.join(" · ");
  finger.clear(positionsAsked());
}

function say(words) {
  pick("#desk-say").textContent = words;
}

function setStep(name, state, words) {
  const step = pick(`[data-step="${name}"]`);
  step.dataset.state = state;
  pick(`#step-${name}`).textContent = words;
}

const orderBody = () => ({ modalities: order.face ? ["fingerprint", "face"] : ["fingerprint"], positions: order.positions, unavailable: order.unavailable });

async function start() {
  if (check) return;
  // The last traveller's verdict goes before the next one comes.
  showIdle();
  pick("#start").disabled = true;
  try {
    // The booth is told all that policy wants and what of it is not there: what was not
    // searched is said in the result.
    const { ticket } = await api("/api/checks", { body: orderBody() });
    begin(ticket);
  } catch (error) {
    if (error.status === 409) say(text("say.busy"));
    toast(error.message, "bad");
  } finally {
    pick("#start").disabled = false;
  }
}

function begin(ticket) {
  if (check?.ticket === ticket) return;
  showIdle();
  check = { ticket, startedAt: performance.now(), modality: null, position: null };
  setView("running");
  say(text("say.running"));
  pick("#main").focus({ preventScroll: true });
  clearInterval(timer);
  timer = setInterval(() => { pick("#elapsed").textContent = seconds(performance.now() - check.startedAt); }, 100);
}

function progress(event) {
  if (check?.ticket !== event.ticket) begin(event.ticket);
  const { modality } = event;
  if (modality && modality !== check.modality) leaveStation(check.modality, event);
  check.modality = modality ?? check.modality;
  check.position = event.position ?? check.position;
  if (modality === "fingerprint") finger.show(event);
  if (modality === "face") face.show(event);
  const isSearch = event.stage === "search";
  if (modality) setStep(modality, isSearch ? "done" : "now", event.attempt > 1 ? counted("step.attempt", event.attempt) : "");
  if (isSearch) setStep("search", "now", "");
  const bar = pick("#search-progress");
  bar.hidden = !["search", "extract"].includes(event.stage);
  bar.classList.toggle("waits", event.share === null);
  if (event.share !== null) {
    bar.style.setProperty("--share", String(event.share));
    bar.setAttribute("aria-valuenow", String(Math.round(event.share * 100)));
  } else bar.removeAttribute("aria-valuenow");
  pick("#skip-text").textContent = text(modality === "face" ? "skip.face" : "skip.finger");
}

function leaveStation(modality, event) {
  if (!modality) return;
  const station = modality === "face" ? face : finger;
  const wasSearched = pick("[data-step=search]").dataset.state === "now";
  station.finish(wasSearched ? "done" : "skipped");
  setStep(modality, wasSearched ? "done" : "skipped", "");
  if (event) setStep("search", wasSearched ? "done" : "", "");
}

function finish({ ticket, result, error }) {
  if (check && check.ticket !== ticket) return;
  // A decision is never hidden behind a dialog.
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  clearInterval(timer);
  const spentMs = check ? performance.now() - check.startedAt : 0;
  check = null;
  pick("#search-progress").hidden = true;
  finger.stop();
  face.stop();
  if (spentMs) pick("#elapsed").textContent = seconds(spentMs);
  if (error !== null && error !== undefined) {
    setView("verdict");
    showFailure(error);
    return offer([["start.again", start, "primary"]]);
  }
  count(spentMs, result.outcome);
  showSteps(result);
  if (result.outcome === "refer") {
    setView("hit");
    askOpenHits();
    return hits.open(result.hit_id, result);
  }
  setView("verdict");
  showVerdict(result);
  return offerAfter(result);
}

function showSteps(result) {
  const searched = new Set(result.searched.map((one) => one.modality));
  for (const modality of ["fingerprint", "face"]) {
    const quality = result.quality[modality];
    setStep(modality, searched.has(modality) ? "done" : "failed", quality === undefined ? "" : text("station.quality", { quality: number(quality) }));
  }
  setStep("search", searched.size ? "done" : "failed", "");
  setStep("decision", "done", text(`outcome.${result.outcome}.word`));
}

function offerAfter(result) {

  say(text(`say.after_${result.outcome}`));
  const failed = [...new Set(result.reasons.map((reason) => reason.split(": ")[0]).filter((what) => ["fingerprint", "face"].includes(what)))];
  if (result.outcome === "clear") {
    reset();
    return offer([["start.next", start, "primary"]]);
  }
  const ways = [["start.again", start, "primary"]];
  if (failed.includes("fingerprint") || result.outcome === "retry") ways.push(["after.other_finger", otherFinger, ""]);
  ways.push(["after.without", () => goWithout(failed), ""]);
  ways.push(["start.next_traveller", nextTraveller, ""]);
  return offer(ways);
}

function offer(ways) {
  const [[key], ...others] = ways;
  pick("#start-text").textContent = text(key);
  pick("#after-actions").replaceChildren(...others.map(([name, act]) => {
    const button = make("button", { class: "button whole", type: "button", text: text(name), "data-testid": name.replace(".", "-") });
    button.addEventListener("click", act);
    return button;
  }));
}

function reset() {
  order = { ...structuredClone(USUAL), ...JSON.parse(stored("order") ?? "{}"), unavailable: [] };
}

function nextTraveller() {
  reset();
  showIdle();
}

function otherFinger() {
  const next = [2, 7, 1, 6, 3, 8, 4, 9, 5, 10].find((position) => !order.positions.includes(position));
  order.positions = next ? [next] : [2];
  showIdle();
  start();
}

async function goWithout(failed) {
  const what = failed.includes("face") && !failed.includes("fingerprint") ? "face" : "fingerprint";
  const said = await askReason({
    title: text(what === "face" ? "skip.face" : "skip.finger"), lead: text("skip.lead"), done: text("skip.done"),
    choices: EXEMPTIONS.map((code) => [code, text(`exemption.${code}`)]),
  });
  if (!said) return;
  order.unavailable = [...order.unavailable, { modality: what, position: null, reason: said.reason, note: said.note }];
  showIdle();
  start();
}

function count(spentMs, outcome) {
  shift.count += 1;
  if (spentMs && outcome !== "retry") shift.last = [...shift.last, spentMs].slice(-10);
  sessionStorage.setItem("shift", JSON.stringify(shift));
  showPace();
}

function showPace() {
  const sorted = [...shift.last].sort((a, b) => a - b);
  pick("#pace").textContent = sorted.length ? text("pace.seconds", { seconds: seconds(sorted[Math.floor(sorted.length / 2)]) }) : "–";
  pick("#count").textContent = number(shift.count);
}

async function post(what, body = {}) {
  if (!check) return;
  try {
    await api(`/api/checks/${check.ticket}/${what}`, { body });
  } catch (error) {
    toast(error.message, error.status === 409 ? "warning" : "bad");
  }
}

async function skip() {
  if (!check) return;
  const { modality } = check;
  const isFace = modality === "face";
  // Without a finger of the person at all, the booth goes on to the face by itself.
  const others = [7, 1, 6, 2, 3, 8].filter((position) => position !== check.position).slice(0, 3);
  const ways = isFace ? [] : [["", text("way.other_finger")], ...others.map((position) => [String(position), fingerName(position)])];
  const said = await askReason({
    title: text(isFace ? "skip.face" : "skip.finger"), lead: text(isFace ? "skip.lead" : "skip.lead_finger"), done: text("skip.done"), ways,
    choices: EXEMPTIONS.map((code) => [code, text(`exemption.${code}`)]),
  });
  if (!said) return;
  await post("skip", { reason: said.reason, note: said.note, modality, instead: said.way ? Number(said.way) : null });
}

async function override() {
  if (!check) return;
  const { modality } = check;
  const said = await askReason({
    title: text("override.title"), lead: text("override.lead"), done: text("override.done"),
    choices: OVERRIDES.map((code) => [code, text(`exemption.${code}`)]),
  });
  if (said) await post("override", { reason: said.reason, note: said.note, modality });
}

async function chooseSamples() {
  const dialog = pick("#samples-dialog");
  const chosen = new Set(order.positions);
  const warning = pick("#samples-warning");
  const warn = () => {
    const isEmpty = chosen.size === 0;
    warning.hidden = !isEmpty;
    warning.textContent = isEmpty ? text("samples.none") : "";
    pick('[value="done"]', dialog).disabled = isEmpty;
  };
  pick("#finger-picks").replaceChildren(...[10, 9, 8, 7, 6, 1, 2, 3, 4, 5].map((position) => {
    const button = make("button", { class: "button", type: "button", "aria-pressed": String(chosen.has(position)), "data-testid": `pick-finger-${position}`, text: fingerName(position) });
    button.addEventListener("click", () => {
      if (chosen.has(position)) chosen.delete(position);
      else chosen.add(position);
      button.setAttribute("aria-pressed", String(chosen.has(position)));
      warn();
    });
    return button;
  }));
  pick("#with-face").checked = order.face;
  warn();
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "done") return;
    order = { positions: [...chosen], face: pick("#with-face").checked, unavailable: [] };
    store("order", JSON.stringify({ positions: order.positions, face: order.face }));
    showOrder();
  }, { once: true });
  dialog.showModal();
}

async function askOpenHits() {
  try {
    const open = await api("/api/hits?state=undecided", { isBackground: true });
    const button = pick("#open-hits");
    button.hidden = open.length === 0;
    button.dataset.hit = open[0]?.hit_id ?? "";
    pick("span", button).textContent = counted("open_hits", open.length);
    const note = pick("#handover-open");
    note.hidden = open.length === 0;
    note.textContent = counted("open_hits", open.length);
  } catch {
    // Asked again with the next event.
  }
}

async function askAutomatic() {
  try {
    pick("#automatic").checked = (await api("/api/automatic-start", { isBackground: true })).is_on;
  } catch {
    pick("#automatic").disabled = true;
  }
}

async function askDrills() {
  try {
    const drills = await api("/api/drills", { isBackground: true });
    pick("#drill-band").hidden = !(drills.armed ?? null);
  } catch {
    pick("#drill-band").hidden = true;
  }
}

async function setAutomatic() {
  const box = pick("#automatic");
  try {
    await api("/api/automatic-start", { method: "PUT", body: { is_on: box.checked, order: orderBody() } });
  } catch (error) {
    box.checked = !box.checked;
    toast(error.message, "bad");
  }
}

// What was missed while the line was lost: a running check's end, hits, modes.
async function catchUp() {
  askStatus();
  askOpenHits();
  askAutomatic();
  askDrills();
  hits.refresh();
  if (!check) return;
  try {
    const state = await api(`/api/checks/${check.ticket}`, { isBackground: true });
    if (state.state !== "running") finish({ ticket: check.ticket, result: state.result, error: state.error });
  } catch (error) {
    // The booth was started anew; nothing of the check was recorded.
    if (error.status === 404) {
      showIdle();
      say(text("say.lost"));
    }
  }
}

const KEYS = {
  " ": () => work.dataset.view !== "running" && work.dataset.view !== "hit" && start(),
  Enter: () => work.dataset.view !== "running" && work.dataset.view !== "hit" && start(),
  k: skip, o: override, f: () => !check && chooseSamples(), s: openState,
  a: () => { pick("#automatic").checked = !pick("#automatic").checked; setAutomatic(); },
  Escape: () => check && post("cancel"), l: () => pick("#lock-form").requestSubmit(), "?": () => pick("#keys-dialog").showModal(),
};

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select");
  const isControl = event.target.closest("button, a, summary, input") && [" ", "Enter"].includes(event.key);
  if (isTyping || isControl) return;
  if (work.dataset.view === "hit" && hits.key(event)) return event.preventDefault();
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (act) {
    event.preventDefault();
    act();
  }
}

function wire() {
  const clicks = {
    "#start": start, "#skip": skip, "#override": override, "#cancel": () => post("cancel"), "#choose": chooseSamples,
    "#open-hits": () => { setView("hit"); hits.open(pick("#open-hits").dataset.hit); },
    "#show-keys": () => pick("#keys-dialog").showModal(), "#hand-over": () => pick("#handover-dialog").showModal(),
  };
  for (const [selector, act] of Object.entries(clicks)) pick(selector).addEventListener("click", act);
  pick("#automatic").addEventListener("change", setAutomatic);
  document.addEventListener("keydown", pressed);
}

startPage();
wire();
reset();
showIdle();
showPace();
const askStatus = followStatus();
follow("/api/events", {
  check_started: (event) => begin(event.ticket),
  check_progress: progress,
  check_finished: finish,
  check_failed: finish,
  instruction: (event) => { hits.changed(event.hit_id); play("alarm"); if (!hits.isShown(event.hit_id)) toast(text("hub.says", { text: event.text }), "info"); askOpenHits(); },
  hit_changed: (event) => { hits.changed(event.hit_id); askOpenHits(); askDrills(); },
}, { onState: showConnection, onOpen: catchUp });

