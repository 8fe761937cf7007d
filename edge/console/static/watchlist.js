// The watchlist: drafts and their release, entries, expiry, recalls.

import { api, ask, icon, make, number, pick, toast } from "/static/web/edge.js";
import { attempt, exact, me, startConsole, words } from "/static/console/console.js";

const FINGERS = ["unknown", "right thumb", "right index", "right middle", "right ring", "right little", "left thumb", "left index", "left middle", "left ring", "left little"];
const list = pick("#list");
const more = pick("#more");
const search = pick("#search");
let tab = "drafts";
let next = null;
let asked = 0;

const facts = (rows) => make("dl", { class: "facts" }, ...rows.filter(([, value]) => value).flatMap(([key, value]) => [make("dt", { text: key }), make("dd", { text: value })]));
const empty = (text) => make("div", { class: "empty card flat" }, icon("check-circle"), make("p", { text }));
const day = (instant) => instant?.slice(0, 10) ?? "no end";

function table(heads, rows) {
  return make("div", { class: "table-frame" }, make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { text: head })))), make("tbody", {}, ...rows)));
}

function button(label, testid, action, classes = "small") {
  const element = make("button", { class: `button ${classes}`, type: "button", "data-testid": testid, text: label });
  element.addEventListener("click", action);
  return element;
}

async function reasoned(title, hint) {
  pick("#reason-title").textContent = title;
  pick("#reason-hint").textContent = hint;
  pick("#reason").value = "";
  return (await ask(pick("#reason-dialog")))?.reason;
}

function draftCard(draft) {
  const isRemoval = draft.operation === "withdraw";
  const decide = async (action, body) => {
    const done = await attempt(() => api(`/api/drafts/${draft.draft_id}/${action}`, { method: "POST", body: body ?? {} }));
    if (done) toast(`${words(draft.operation)}: ${done.state}`, "good");
    load();
  };
  const buttons = [];
  if (draft.state === "waiting" && me.may_lead) {
    buttons.push(button("Reject", "reject", async () => {
      const note = await reasoned("Reject the draft", "Nothing is published; the images are deleted.");
      if (note) decide("reject", { note });
    }, ""));
    if (draft.may_release) buttons.push(button("Release", "release", () => decide("release"), "primary"));
  }
  const own = draft.state === "waiting" && draft.created_by === me.name;
  return make("article", { class: "card draft", "data-testid": "draft", "data-state": isRemoval ? "retry" : null },
    make("header", {}, make("h2", { text: `${isRemoval ? "Withdraw" : "Add"}: ${draft.entry?.name ?? draft.entry_id}` }), make("span", { class: "badge", "data-level": { released: "good", rejected: "bad" }[draft.state] ?? "warning", text: draft.state })),
    make("div", { class: "draft-body" },
      me.may_see && draft.images.length ? make("div", { class: "thumbs" }, ...draft.images.map((image) => make("figure", {}, make("img", { src: image.url, alt: `${image.modality} ${image.position_name}` }), make("figcaption", { class: "small", text: `${image.position_name || image.modality} · quality ${image.quality}` })))) : null,
      facts([["Reason", draft.reason], ["Category", draft.entry?.category], ["Originator", draft.entry?.originator], ["Handling", draft.entry?.handling_code], ["Legal basis", draft.entry?.legal_basis], ["Instruction", draft.entry?.instruction], ["Expires", draft.entry ? day(draft.entry.expires_at) : ""], ["Drafted", `${draft.created_by}, ${exact(draft.created_at)}`], ["Decided", draft.decided_by ? `${draft.decided_by}, ${exact(draft.decided_at)}` : ""], ["Note", draft.decision_note], ["Change", draft.sequence ? number(draft.sequence) : ""]])),
    own ? make("p", { class: "note" }, icon("people"), "Another person has to release this draft.") : null,
    make("div", { class: "row end" }, ...buttons));
}

function entryRow(entry) {
  const actions = make("td", { class: "row fixed end" });
  if (me.may_see) actions.append(button("Show", "show-entry", () => showEntry(entry.entry_id)));
  if (me.may_act) {
    actions.append(button("Withdraw", "withdraw", async () => {
      const reason = await reasoned("Withdraw the entry", `${entry.name ?? entry.entry_id}: a supervisor other than you has to release it. Every post has to prove the deletion.`);
      if (!reason) return;
      const done = await attempt(() => api("/api/withdrawals", { body: { entry_id: entry.entry_id, reason } }));
      if (done) toast("Drafted: it waits for a second person.", "good");
    }));
  }
  const isOver = entry.expires_at && new Date(entry.expires_at) < new Date();
  return make("tr", { "data-testid": "entry-row" }, make("th", { scope: "row", text: entry.name ?? "–" }), make("td", { class: "code", text: entry.entry_id }), make("td", {}, entry.category === "DRILL" ? make("span", { class: "badge drill", text: "DRILL" }) : entry.category), make("td", { text: entry.originator }), make("td", { text: entry.handling_code }), make("td", {}, isOver ? make("span", { class: "badge", "data-level": "bad", text: `over since ${day(entry.expires_at)}` }) : day(entry.expires_at)), make("td", { class: "number", text: number(entry.references_count) }), actions);
}

const entryTable = (entries) => table(["Name", "Entry", "Category", "Originator", "Handling", "Expires", "References", ""], entries.map(entryRow));

async function showEntry(id) {
  const found = await attempt(() => api(`/api/watchlist/entries/${encodeURIComponent(id)}`));
  if (!found) return;
  const entry = found.entry;
  pick("#entry-title").textContent = entry.name ?? entry.entry_id;
  pick("#entry-body").replaceChildren(
    make("div", { class: "thumbs" }, ...found.reference.map((image) => make("figure", {}, make("img", { src: image.url, alt: `${image.modality} ${image.position_name}` }), make("figcaption", { class: "small", text: image.position_name || image.modality })))),
    facts([["Entry", `${entry.entry_id}, version ${entry.version}`], ["Category", entry.category], ["Originator", entry.originator], ["Handling", entry.handling_code], ["Legal basis", entry.legal_basis], ["Instruction", entry.instruction], ["Valid", `${day(entry.valid_from)} to ${day(entry.expires_at)}`], ["References", number(found.references_count)]]));
  pick("#entry-dialog").showModal();
}

function recallCard(recall) {
  const all = recall.confirmed.length + recall.pending.length;
  const bar = make("div", { class: "progress" }, make("i", {}));
  bar.firstChild.style.setProperty("--share", all ? recall.confirmed.length / all : 1);
  return make("article", { class: "card stack", "data-testid": "recall" },
    make("header", { class: "row ends" }, make("h2", { class: "code", text: recall.entry_id }), make("span", { class: "badge", "data-level": recall.pending.length ? "warning" : "good", text: `${recall.confirmed.length} of ${all} posts have proved the deletion` })),
    bar, facts([["Reason", recall.reason], ["Asked by", recall.originator], ["Withdrawn", `${exact(recall.withdrawn_at)}, change ${recall.sequence}`], ["Pending", recall.pending.slice(0, 40).join(", ") + (recall.pending.length > 40 ? ` and ${recall.pending.length - 40} more` : "")]]));
}

const TABS = {
  drafts: async () => {
    const page = await api("/api/drafts?state=waiting", { isBackground: true });
    return [page.drafts.length ? page.drafts.map(draftCard) : [empty("Nothing waits for a second person.")], null];
  },
  decided: async (after) => {
    const page = await api(`/api/drafts${after ? `?before=${after}` : ""}`, { isBackground: true });
    return [page.drafts.filter((draft) => draft.state !== "waiting").map(draftCard), page.next];
  },
  entries: async (after) => {
    const page = await api(`/api/watchlist?text=${encodeURIComponent(search.value.trim())}&after=${encodeURIComponent(after ?? "")}`, { isBackground: true });
    pick("#entry-count").textContent = number(page.count);
    return [page.entries.length ? [entryTable(page.entries)] : [empty("No entry.")], page.next];
  },
  expiring: async () => {
    const page = await api("/api/watchlist/expiring?days=60", { isBackground: true });
    return [page.entries.length ? [entryTable(page.entries)] : [empty("Nothing ends within 60 days.")], null];
  },
  recalls: async () => {
    const found = await api("/api/recalls", { isBackground: true });
    return [found.length ? found.map(recallCard) : [empty("Nothing was withdrawn.")], null];
  },
};

async function load({ isMore = false } = {}) {
  const mine = ++asked;
  const found = await attempt(() => TABS[tab](isMore ? next : null));
  if (!found || mine !== asked) return;
  next = found[1];
  if (isMore) list.append(...found[0]);
  else list.replaceChildren(...found[0]);
  more.hidden = !next;
}

function choose(name) {
  tab = name;
  for (const other of document.querySelectorAll("[data-tab]")) other.setAttribute("aria-selected", String(other.dataset.tab === name));
  pick("#tab-panel").setAttribute("aria-labelledby", `tab-${name}`);
  pick("#search-field").hidden = name !== "entries";
  load();
}

function addFinger() {
  const number_ = pick("#fingers").children.length + 1;
  const position = make("select", { class: "select", name: "finger_positions", "aria-label": `Finger ${number_}`, "data-testid": "finger-position" }, ...FINGERS.map((name, code) => make("option", { value: code, text: name, selected: code === 2 })));
  const file = make("input", { class: "input", type: "file", name: "fingers", accept: "image/*", required: true, "aria-label": `Image of finger ${number_}`, "data-testid": "finger-file" });
  const drop = make("button", { class: "button square", type: "button", "aria-label": `Remove finger ${number_}` }, icon("close"));
  const row = make("div", { class: "row fixed" }, position, file, drop);
  drop.addEventListener("click", () => row.remove());
  pick("#fingers").append(row);
}

async function enrol(event) {
  event.preventDefault();
  const form = pick("#enrol-form");
  const submit = pick('[data-testid="enrol-submit"]', form);
  submit.disabled = true;
  const made = await attempt(async () => {
    const answer = await fetch("/api/drafts", { method: "POST", body: new FormData(form), headers: { "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content } });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.detail ?? "refused");
    return value;
  });
  submit.disabled = false;
  if (!made) return;
  pick("#verdicts").replaceChildren(...made.images.map((item) => make("li", { class: "note", "data-level": item.is_sufficient ? "good" : "bad" }, icon(item.is_sufficient ? "check-circle" : "octagon"), make("p", { text: `${item.origin}: quality ${item.quality}${item.needed ? ` of ${item.needed} needed` : ""}${item.reasons.length ? `; ${item.reasons.map(words).join(", ")}` : ""}` }))));
  if (!made.draft_id) return;
  pick("#enrol-dialog").close();
  toast("Drafted: it waits for a second person.", "good");
  choose("drafts");
}

for (const element of document.querySelectorAll("[data-tab]")) element.addEventListener("click", () => choose(element.dataset.tab));
// Arrow keys move between tabs, as a tab list is used.
pick('[role="tablist"]').addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...document.querySelectorAll("[data-tab]")];
  const target = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  target.focus();
  choose(target.dataset.tab);
});
more.addEventListener("click", () => load({ isMore: true }));
let typing = null;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, 150);
});
document.getElementById("enrol")?.addEventListener("click", () => {
  pick("#enrol-form").reset();
  pick("#verdicts").replaceChildren();
  pick("#fingers").replaceChildren();
  addFinger();
  pick("#enrol-dialog").showModal();
});
pick("#add-finger").addEventListener("click", addFinger);
pick("#enrol-form").addEventListener("submit", enrol);
startConsole();
attempt(async () => {
  pick("#entry-count").textContent = number((await api("/api/watchlist?limit=1", { isBackground: true })).count);
});
load();
