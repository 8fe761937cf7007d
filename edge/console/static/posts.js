// The posts: who is there, who lags, who is silent.

import { age, api, icon, make, number, pick, toast } from "/static/web/edge.js";
import { attempt, me, startConsole } from "/static/console/console.js";

const LEVEL = { online: "good", stale: "warning", silent: "bad", never: null, revoked: null };
const ICON = { online: "check-circle", stale: "triangle", silent: "no-link", never: "clock", revoked: "lock" };
const rows = pick("#rows");
const filter = pick("#filter");
let posts = [];

const gigabytes = (bytes) => `${number(bytes / 1e9, { maximumFractionDigits: 1 })} GB`;
const known = (value, shown) => (value === null || value === undefined ? "–" : shown(value));

function badge(state, text = state) {
  return make("span", { class: "badge", "data-level": LEVEL[state] }, icon(ICON[state]), text);
}

function row(post) {
  const cell = (text, classes = null) => make("td", { class: classes, text });
  const set = post.is_same === false ? make("span", { class: "badge", "data-level": "bad", text: "DIFFERS" }) : post.is_same ? "proved" : "–";
  const clock = post.clock_is_trusted === false ? make("span", { class: "badge", "data-level": "bad", text: "wrong" }) : known(post.clock_is_trusted, () => "ok");
  const actions = make("td", { class: "row fixed" });
  if (me.may_lead && post.state !== "revoked") {
    for (const [kind, label] of [["test", "Test"], ["resync", "Resync"]]) {
      const button = make("button", { class: "button small", type: "button", "data-testid": `post-${kind}`, "aria-label": `${label} ${post.booth_id}`, text: label });
      button.addEventListener("click", async () => {
        const done = await attempt(() => api(`/api/posts/${encodeURIComponent(post.booth_id)}/command`, { body: { kind } }));
        if (done) toast(`${label}: queued for ${post.booth_id}`, "good");
      });
      actions.append(button);
    }
  }
  return make("tr", { "data-testid": "post", "data-state": post.state },
    make("th", { scope: "row", text: post.booth_id }), make("td", {}, badge(post.state)),
    make("td", post.last_seen_at ? { "data-since": post.last_seen_at, text: age(post.last_seen_at) } : { text: "–" }),
    cell(known(post.lag, number), "number"), make("td", {}, set), cell(known(post.outbox_depth, number), "number"), cell(number(post.gaps), "number"),
    cell(known(post.disk_free_bytes, gigabytes), "number"), make("td", {}, clock), cell(known(post.software, String)), actions);
}

function draw() {
  const part = filter.value.trim().toLowerCase();
  const found = posts.filter((post) => post.booth_id.includes(part) || post.state.startsWith(part));
  rows.replaceChildren(...found.map(row));
  if (!found.length) rows.append(make("tr", {}, make("td", { colspan: "11", class: "muted", text: "No post." })));
}

async function load() {
  const list = await attempt(() => api("/api/posts", { isBackground: true }));
  if (!list) return;
  posts = list.posts;
  pick("#sequence").textContent = number(list.sequence);
  pick("#states").replaceChildren(...Object.entries(list.states).filter(([, count]) => count).map(([state, count]) => badge(state, `${number(count)} ${state}`)));
  if (!rows.contains(document.activeElement)) draw();
}

filter.addEventListener("input", draw);
startConsole();
await load();
setInterval(load, 5000);
