// The audit log, and the verification of its chain.

import { api, icon, make, number, pick } from "/static/web/edge.js";
import { attempt, exact, startConsole } from "/static/console/console.js";

const rows = pick("#rows");
const more = pick("#more");
const actor = pick("#actor");
let next = null;

async function load({ isMore = false } = {}) {
  const query = new URLSearchParams({ limit: "100" });
  if (actor.value.trim()) query.set("actor", actor.value.trim());
  if (isMore) query.set("before", next);
  const page = await attempt(() => api(`/api/audit?${query}`, { isBackground: true }));
  if (!page) return;
  next = page.next;
  more.hidden = next === null;
  const made = page.lines.map((line) => make("tr", { "data-testid": "audit-line" }, make("td", { class: "number", text: number(line.number) }), make("td", { class: "small", text: exact(line.at) }), make("td", { text: line.actor }), make("td", { text: line.action.replaceAll("_", " ") }), make("td", { class: "code", text: line.subject }), make("td", { class: "code muted", text: line.hash.slice(0, 12) })));
  if (isMore) rows.append(...made);
  else rows.replaceChildren(...made);
}

const TOLD = {
  running: () => ["info", "clock", "The chain is being verified …"],
  sound: (view) => ["good", "check-circle", `Sound: ${number(view.lines)} lines verified at ${exact(view.finished_at)}.`],
  broken: (view) => ["bad", "octagon", view.problem],
};

function tell(view) {
  const note = pick("#verdict");
  const told = TOLD[view.state]?.(view);
  note.hidden = !told;
  if (!told) return;
  note.dataset.level = told[0];
  note.replaceChildren(icon(told[1]), make("p", { text: told[2] }));
}

async function wait() {
  const view = await attempt(() => api("/api/audit/verification", { isBackground: true }));
  if (!view) return;
  tell(view);
  if (view.state === "running") setTimeout(wait, 300);
}

pick("#verify").addEventListener("click", async () => {
  const view = await attempt(() => api("/api/audit/verification", { method: "POST" }));
  if (!view) return;
  tell(view);
  wait();
});
more.addEventListener("click", () => load({ isMore: true }));
let typing = null;
actor.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, 200);
});
startConsole();
load();
wait();
