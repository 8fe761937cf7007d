// The live queue and the case beside it.

import { age, announce, api, ask, icon, make, number, pick, play } from "/static/web/edge.js";
import { attempt, drillBadge, followEvents, gathered, me, oneIn, severityBadge, showCounts, startConsole, words } from "/static/console/console.js";
import { showCase } from "/static/console/case.js";

const cards = pick("#cards");
const detail = pick("#detail");
const more = pick("#more");
let list = "open";
let shown = [];
let next = null;
let limits = { overdue: 60, lost: 300 };
let skew_ms = 0;
let selected = detail.dataset.selected || null;
let asked = 0;

const queries = { open: "state=open", mine: "state=open&mine=true", closed: "state=closed" };
const now = () => Date.now() + skew_ms;

/** How loud a case is now; the same rule as the server's. */
function alarmOf(view) {
  if (view.state === "closed" || view.claimed_by) return "quiet";
  const waiting = (now() - new Date(view.received_at).getTime()) / 1000;
  if (waiting >= limits.lost) return "lost";
  return waiting >= limits.overdue ? "overdue" : "new";
}

function card(view) {
  const who = view.claimed_by
    ? make("span", { class: "badge", "data-level": view.claimed_by === me.name ? "good" : null }, icon("person"), view.claimed_by)
    : make("span", { class: "badge", "data-level": "bad" }, icon("bell"), "unclaimed");
  const state = view.state === "closed" ? make("span", { class: "badge", text: words(view.outcome) }) : who;
  const button = make("button", { class: "case-card", type: "button", "data-hit": view.hit_id, "data-testid": "case-card", "data-alarm": alarmOf(view), "data-severity": view.severity, "aria-current": view.hit_id === selected ? "true" : null },
    make("span", { class: "row ends fixed" },
      make("span", { class: "row tight" }, severityBadge(view), view.is_drill ? drillBadge() : null, view.escalated_at ? make("span", { class: "badge", "data-level": "warning" }, icon("flag"), "escalated") : null),
      make("span", { class: "muted small", "data-since": view.received_at, text: age(view.received_at, now()) })),
    make("strong", { class: "cut", text: view.name ?? view.entry_id }),
    make("span", { class: "row ends fixed small" },
      make("span", { class: "cut muted", text: `${view.booth_id} · ${view.category || "category unknown"}` }),
      make("span", { class: "badge", "data-level": { confirmed: "bad", refuted: "good", disputed: "warning" }[view.decision] ?? null, text: words(view.decision) })),
    make("span", { class: "row ends fixed small" }, state, make("span", { class: "muted", text: oneIn(view.one_in) })));
  button.addEventListener("click", () => choose(view.hit_id));
  return make("li", {}, button);
}

/** Load as much of the list as is shown, and put it up. */
async function load() {
  const mine = ++asked;
  const limit = Math.min(200, Math.max(50, shown.length));
  const page = await attempt(() => api(`/api/cases?${queries[list]}&limit=${limit}`, { isBackground: true }));
  if (!page || mine !== asked) return page;
  skew_ms = new Date(page.now).getTime() - Date.now();
  limits = { overdue: page.overdue_after_s, lost: page.lost_after_s };
  shown = page.cases;
  next = page.next;
  draw();
  showCounts(page.counts);
  pick("#count-open").textContent = `${number(page.counts.open)} open · ${number(page.counts.mine)} mine`;
  return page;
}

async function loadMore() {
  const page = await attempt(() => api(`/api/cases?${queries[list]}&limit=50&after=${encodeURIComponent(next)}`));
  if (!page) return;
  shown.push(...page.cases);
  next = page.next;
  draw();
}

function draw() {
  const focused = document.activeElement?.dataset?.hit;
  cards.replaceChildren(...shown.map(card));
  if (!shown.length) cards.append(make("li", { class: "empty" }, icon("check-circle"), make("p", { text: list === "open" ? "No open case." : "Nothing here." })));
  more.hidden = next === null;
  if (focused) cards.querySelector(`[data-hit="${CSS.escape(focused)}"]`)?.focus();
  age_alarms();
}

let loudest = "quiet";
const RANK = ["quiet", "new", "overdue", "lost"];

/** Alarms age on the screen too, without asking; the loudest one sounds again. */
function age_alarms() {
  let found = "quiet";
  let oldest = null;
  for (const view of shown) {
    const alarm = alarmOf(view);
    const element = cards.querySelector(`[data-hit="${CSS.escape(view.hit_id)}"]`);
    if (element && element.dataset.alarm !== alarm) element.dataset.alarm = alarm;
    if (RANK.indexOf(alarm) > RANK.indexOf(found)) found = alarm;
    if (RANK.indexOf(alarm) >= 2 && (!oldest || view.received_at < oldest)) oldest = view.received_at;
  }
  const note = pick("#waiting");
  note.hidden = oldest === null;
  if (oldest) pick("p", note).textContent = `Nobody has claimed a case for ${age(oldest, now())}.`;
  if (RANK.indexOf(found) > RANK.indexOf(loudest) && found !== "new") play("alarm");
  loudest = found;
}

/** Show a case and keep its address. */
async function choose(hitId, { isNew = true } = {}) {
  selected = hitId;
  for (const element of cards.querySelectorAll("[data-hit]")) {
    if (element.dataset.hit === hitId) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
  }
  if (isNew) history.pushState({ hitId }, "", `/cases/${encodeURIComponent(hitId)}`);
  if (!me.may_see) {
    detail.replaceChildren(make("div", { class: "empty" }, icon("lock"), make("p", { text: "Your role does not see evidence." })));
    return;
  }
  await showCase(detail, hitId, { act });
  if (isNew && matchMedia("(width < 900px)").matches) detail.scrollIntoView();
}

/** Do something to a case, then show it as it stands. */
async function act(view, action, body) {
  const done = await attempt(() => api(`/api/cases/${encodeURIComponent(view.hit_id)}/${action}`, { method: "POST", body: body ?? {} }));
  if (done) announce(`${words(action)}: done`);
  await showCase(detail, view.hit_id, { act, isUpdate: true });
  load();
}

const reload = gathered(load);
const refresh = gathered(() => selected && me.may_see && showCase(detail, selected, { act, isUpdate: true }), 120);

for (const button of document.querySelectorAll("[data-list]")) {
  button.addEventListener("click", () => {
    list = button.dataset.list;
    shown = [];
    for (const other of document.querySelectorAll("[data-list]")) other.setAttribute("aria-pressed", String(other === button));
    load();
  });
}
more.addEventListener("click", loadMore);
window.addEventListener("popstate", () => {
  const hitId = location.pathname.split("/")[2];
  if (hitId) choose(decodeURIComponent(hitId), { isNew: false });
});
// Up and down in the list, as in a mailbox.
cards.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [...cards.querySelectorAll("[data-hit]")];
  const place = all.indexOf(document.activeElement);
  const target = all[place + (event.key === "ArrowDown" ? 1 : -1)];
  if (place >= 0 && target) {
    event.preventDefault();
    target.focus();
  }
});
setInterval(age_alarms, 1000);
startConsole({ followsByItself: false });
const first = await load();
followEvents(first?.last_event ?? null, (event) => {
  reload();
  if (event.hit_id === selected) refresh();
}, load);
if (selected) choose(selected, { isNew: false });
