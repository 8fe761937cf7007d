// What every page needs: requests, live events, texts, clocks, sound, toasts, dialogs.

const root = document.documentElement;

/** The element of a test id or selector; fails loudly where a template lacks it. */
export function pick(selector, from = document) {
  const found = from.querySelector(selector);
  if (!found) throw new Error(`no element ${selector}`);
  return found;
}

/** Make an element: make("p", {class: "muted", text: "..."}, child, child). */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  return dress(element, attributes, children);
}

/** The same for SVG. */
export function makeSvg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  return dress(element, attributes, children);
}

function dress(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An icon of the sprite. */
export function icon(name, classes = "") {
  const use = makeSvg("use", { href: `/static/web/icons.svg#${name}` });
  return makeSvg("svg", { class: `icon ${classes}`.trim(), "aria-hidden": "true" }, use);
}

/** JSON that the server put into the page under an id; fallback where there is none. */
export function pageData(id, fallback = {}) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : fallback;
}

const texts = pageData("texts");

/** The text of a key in the page's language, {name} replaced by values.name. */
export function text(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return plain(key);
  return found.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

/** Whether there is a text of this key. */
export const hasText = (key) => key in texts;

/** A text that depends on a count: keys "<key>.one", "<key>.other" and so on. */
export function counted(key, count, values = {}) {
  const form = new Intl.PluralRules(language()).select(count);
  const chosen = hasText(`${key}.${form}`) ? `${key}.${form}` : `${key}.other`;
  return text(chosen, { count: number(count), ...values });
}

const plain = (key) => key.split(".").at(-1).replaceAll("_", " ");

export const language = () => root.lang || "en";

/** Digits stay Latin in every language: they are compared with documents and logs. */
const locale = () => `${language()}-u-nu-latn`;

export const number = (value, options = {}) =>
  new Intl.NumberFormat(locale(), options).format(value);

export const clockTime = (instant, options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }) =>
  new Intl.DateTimeFormat(locale(), options).format(new Date(instant));

export const dateTime = (instant) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(instant));

/** An age in its largest unit: "3 min", "2 h", "5 days". */
export function age(instant, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(instant).getTime()) / 1000));
  const [value, unit] =
    seconds < 90 ? [seconds, "second"] :
    seconds < 5400 ? [Math.round(seconds / 60), "minute"] :
    seconds < 129600 ? [Math.round(seconds / 3600), "hour"] : [Math.round(seconds / 86400), "day"];
  return number(value, { style: "unit", unit, unitDisplay: "short" });
}

/** What a request was refused with. status 0: the server could not be reached. */
export class RequestError extends Error {
  constructor(status, detail, body = null) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

/** Ask the JSON interface; a body makes it a POST unless method says otherwise.
 *  Where the session has ended, the sign-in page is shown, unless stay. */
export async function api(path, { body, method, signal, stay = false, isBackground = false } = {}) {
  const options = { method: method ?? (body === undefined ? "GET" : "POST"), signal, headers: { Accept: "application/json" }, cache: "no-store" };
  if (options.method !== "GET") options.headers["X-CSRF-Token"] = csrf();
  // What a page does by itself is no sign of a person.
  if (isBackground) options.headers["X-Background"] = "1";
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, text("web.unreachable"));
  }
  const value = await answer.json().catch(() => null);
  if (answer.ok) return value;
  if (answer.status === 401 && !stay) goToSignIn();
  throw new RequestError(answer.status, detailOf(value), value);
}

function detailOf(value) {
  const detail = value?.detail;
  if (Array.isArray(detail)) return detail.map((item) => item.msg).join("; ");
  return detail ?? text("web.refused");
}

// A form that is being sent leads to a page of its own: locking the screen ends the
// session, and what notices that must not lead elsewhere.
let isLeaving = false;
const LEAVING_MS = 5000;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  isLeaving = true;
  setTimeout(() => { isLeaving = false; }, LEAVING_MS);
});

/** Leave for the sign-in page; the way back is kept. */
export function goToSignIn() {
  if (isLeaving) return;
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Follow server-sent events and come back after every loss.
 *
 *  handlers: event name -> function of the parsed data. onState: told "open" or "lost".
 *  onOpen: after every (re)connection, to fetch what was missed. */
export function follow(path, handlers, { onState = () => {}, onOpen = () => {} } = {}) {
  let source = null;
  let wait = 250;
  let timer = null;
  let isClosed = false;
  const open = () => {
    source = new EventSource(path);
    source.onopen = () => {
      wait = 250;
      onState("open");
      onOpen();
    };
    source.onerror = () => {
      onState("lost");
      source.close();
      if (isClosed) return;
      clearTimeout(timer);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 3000);
      check();
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (message) => handle(JSON.parse(message.data)));
    }
  };
  // An EventSource does not tell why it was refused: ask for the reason.
  const check = async () => {
    try {
      const answer = await fetch(path, { method: "HEAD", cache: "no-store" });
      if (answer.status === 401) goToSignIn();
    } catch {
      // Not reachable: the next try comes by itself.
    }
  };
  open();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    source?.close();
  };
}

/** Show or hide the page's "connection lost" line. */
export function showConnection(state) {
  const line = document.getElementById("lost");
  if (line) line.hidden = state === "open";
  root.dataset.connection = state;
}

/** Keep elements with data-since (ISO instant) counting: seconds, or an age. */
export function startClocks() {
  const tick = () => {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-since]")) {
      const shown = element.dataset.clock === "seconds"
        ? number((now - new Date(element.dataset.since).getTime()) / 1000, { maximumFractionDigits: 0 })
        : age(element.dataset.since, now);
      if (element.textContent !== shown) element.textContent = shown;
    }
    for (const element of document.querySelectorAll("[data-now]")) {
      const shown = clockTime(now, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      if (element.textContent !== shown) element.textContent = shown;
    }
  };
  tick();
  return setInterval(tick, 500);
}

const TONES = { clear: [[660, 0], [880, 0.12]], refer: [[440, 0], [330, 0.18], [440, 0.36]], retry: [[520, 0]], degraded: [[392, 0], [392, 0.2]], alarm: [[880, 0], [660, 0.15], [880, 0.3], [660, 0.45]] };
let audio = null;

export const isSoundOn = () => stored("sound") !== "off";

export function setSound(isOn) {
  store("sound", isOn ? "on" : "off");
}

/** Play the tones of a state, unless sound is off or the browser does not allow it. */
export function play(state) {
  if (!isSoundOn() || !TONES[state]) return;
  try {
    audio ??= new AudioContext();
    for (const [frequency, after] of TONES[state]) tone(frequency, audio.currentTime + after);
  } catch {
    // A screen without a loudspeaker says it with colour, shape and word.
  }
}

function tone(frequency, at) {
  const oscillator = audio.createOscillator();
  const loudness = audio.createGain();
  oscillator.frequency.value = frequency;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.2, at + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.14);
  oscillator.connect(loudness).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.16);
}

export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Without storage a choice lasts as long as the page.
  }
}

/** Tell something in passing. level: info, good, warning, bad. Bad ones stay. */
export function toast(message, level = "info") {
  const frame = pick("#toasts");
  const names = { good: "check-circle", warning: "triangle", bad: "octagon", info: "info" };
  const close = make("button", { class: "button quiet small square", type: "button", "aria-label": text("web.close") }, icon("close"));
  const note = make("div", { class: "note", "data-level": level, role: level === "bad" ? "alert" : "status" }, icon(names[level]), make("p", { class: "grow", text: message }), close);
  close.addEventListener("click", () => note.remove());
  frame.append(note);
  while (frame.children.length > 4) frame.firstElementChild.remove();
  if (level !== "bad") setTimeout(() => note.remove(), 7000);
  return note;
}

/** Say it to a screen reader only. */
export function announce(message) {
  const line = document.getElementById("announce");
  if (line) line.textContent = message;
}

/** Open a <dialog> and wait for its end: the form's values, or null if it was left. */
export function ask(dialog) {
  const form = pick("form", dialog);
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "done" ? Object.fromEntries(new FormData(form)) : null);
    }, { once: true });
    dialog.showModal();
  });
}

/** Wire what base.html brings: theme, type, sound, menus, buttons that close a dialog. */
export function startPage() {
  startClocks();
  toggle("theme", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    store("theme", root.dataset.theme);
  });
  toggle("type", () => {
    root.dataset.type = root.dataset.type === "large" ? "normal" : "large";
    store("type", root.dataset.type);
  });
  for (const button of document.querySelectorAll('[data-action="sound"]')) {
    button.setAttribute("aria-pressed", String(isSoundOn()));
  }
  toggle("sound", (button) => {
    setSound(!isSoundOn());
    button.setAttribute("aria-pressed", String(isSoundOn()));
    play("clear");
  });
  keepAwake();
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (event.target.closest?.("[data-close-dialog]")) event.target.closest("dialog")?.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

/** Tell the server now and then that a person is here: only reading is no request. */
function keepAwake() {
  if (!csrf()) return;
  let told = Date.now();
  const tell = () => {
    if (Date.now() - told < 30000) return;
    told = Date.now();
    api("/api/session/active", { method: "POST" }).catch(() => {});
  };
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, tell, { passive: true });
}

function toggle(action, act) {
  for (const button of document.querySelectorAll(`[data-action="${action}"]`)) {
    button.addEventListener("click", () => act(button));
  }
}
