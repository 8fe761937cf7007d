// What every page of the console needs: the stream of events, counts, sound, notices.

import { api, goToSignIn, icon, isSoundOn, make, number, pageData, play, setSound, showConnection, startPage, store, stored, toast } from "/static/web/edge.js";

export const me = pageData("me");

const SEVERITY_LEVEL = { 4: "bad", 3: "warning", 2: "info", 1: "" };
const title = document.title;
const mark = document.querySelector("link[rel=icon]");

/** The badge of a severity; a word and a colour. */
export function severityBadge(view) {
  return make("span", { class: "badge", "data-level": SEVERITY_LEVEL[view.severity] || null, "data-testid": "severity", text: view.severity_name });
}

export const drillBadge = () => make("span", { class: "badge drill", "data-testid": "drill" }, icon("drill"), "DRILL");

/** "one in 10,000,000", as a person says it. */
export const oneIn = (count) => `1 in ${number(count)}`;

export const words = (key) => (key ?? "").replaceAll("_", " ");

/** An instant as date and time to the second, in UTC as the log has it. */
export function exact(instant) {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Run an action; what the server refuses is told. Returns null then. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message, "bad");
    return null;
  }
}

/** A function that runs once for many calls in a short time. */
export function gathered(action, delay_ms = 60) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      action();
    }, delay_ms);
  };
}

/** Show how many cases nobody has claimed: in the bar and in the title. */
export function showCounts(counts) {
  const count = document.getElementById("unclaimed");
  count.hidden = counts.unclaimed === 0;
  count.textContent = number(counts.unclaimed);
  count.setAttribute("aria-label", `${counts.unclaimed} unclaimed`);
  document.title = counts.unclaimed ? `(${counts.unclaimed}) ${title}` : title;
}

/** Sound and desktop notification of one new hit. */
function alarm(view) {
  if (view.is_historical) return;
  play(view.severity >= 3 && !view.is_drill ? "alarm" : "refer");
  if (stored("notify") !== "on" || globalThis.Notification?.permission !== "granted") return;
  const drill = view.is_drill ? "DRILL: " : "";
  // Nobody's name: a notification is seen by whoever passes, and kept by the desktop.
  const notice = new Notification(`${drill}${view.severity_name} hit at ${view.booth_id}`, { body: view.category, tag: view.hit_id, icon: mark?.href });
  notice.addEventListener("click", () => {
    window.focus();
    location.assign(`/cases/${view.hit_id}`);
  });
}

/** Follow the stream from an event on; every loss is made up for.
 *  onEvent(event, case); onReset: too much was missed, load the lists anew. */
export function followEvents(after, onEvent, onReset = () => {}) {
  let last = after;
  let wait = 250;
  const link = document.getElementById("link");
  const show = (isOpen) => {
    showConnection(isOpen ? "open" : "lost");
    link.dataset.level = isOpen ? "ok" : "bad";
    link.lastElementChild.textContent = isOpen ? "live" : "no link";
  };
  const open = () => {
    const source = new EventSource(last === null ? "/api/events" : `/api/events?after=${last}`);
    source.onopen = () => {
      wait = 250;
      show(true);
    };
    source.onerror = async () => {
      source.close();
      show(false);
      try {
        const answer = await fetch("/api/session", { cache: "no-store", headers: { "X-Background": "1" } });
        if (answer.status === 401) return goToSignIn();
      } catch {
        // Not reachable: the next try comes by itself.
      }
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 3000);
    };
    source.addEventListener("reset", (message) => {
      last = Number(message.lastEventId);
      onReset();
    });
    for (const kind of ["received", "claimed", "released", "taken_over", "noted", "instructed", "instruction_answered", "decided", "escalated", "closed", "exported"]) {
      source.addEventListener(kind, (message) => {
        last = Number(message.lastEventId);
        const { event, case: view } = JSON.parse(message.data);
        if (kind === "received" || (kind === "escalated" && me.may_lead)) alarm(view);
        onEvent(event, view);
      });
    }
  };
  open();
}

/** Wire bell and page; pages without a list of cases count by themselves. */
export async function startConsole({ followsByItself = true } = {}) {
  startPage();
  const bell = document.getElementById("notify");
  const show = () => bell.setAttribute("aria-pressed", String(stored("notify") === "on" && globalThis.Notification?.permission === "granted"));
  bell.addEventListener("click", async () => {
    const wasOn = bell.getAttribute("aria-pressed") === "true";
    if (!wasOn && globalThis.Notification && Notification.permission !== "granted") await Notification.requestPermission();
    store("notify", wasOn ? "off" : "on");
    show();
  });
  show();
  if (stored("sound") === null) setSound(isSoundOn());
  if (!followsByItself) return;
  const count = async () => {
    const list = await attempt(() => api("/api/cases?limit=1", { isBackground: true }));
    if (list) showCounts(list.counts);
    return list;
  };
  const first = await count();
  followEvents(first?.last_event ?? null, gathered(count), count);
}
