// The traveller's view: what to do now, in the traveller's language and in pictures.

import { follow, pageData, pick, showConnection, startPage } from "/static/web/edge.js";

const FORGET_MS = 30000;
const WAYS = { left: 180, right: 0, up: -90, down: 90, chin_up: -90, chin_down: 90 };
const SIZES = { closer: 0.72, further: 1.3 };

const every = pageData("every");
const rightToLeft = pageData("right-to-left", []);
const main = pick("#main");
const first = main.lang;
let last = { stage: "idle", modality: null, position: null, instruction: null };
let timer = null;

const words = (key) => every[main.lang][key] ?? "";

function speak(language) {
  main.lang = language;
  main.dir = rightToLeft.includes(language) ? "rtl" : "ltr";
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  show(last);
}

function sceneOf({ stage, modality }) {
  if (stage === "capture") return modality === "face" ? "face" : "finger";
  if (stage === "start") return "working";
  return stage;
}

function sentence({ stage, modality, instruction }) {
  if (stage === "capture") return words(`${modality === "face" ? "face" : "finger"}_instruction.${instruction}`);
  return words({ idle: "traveller.wait", start: "traveller.working", working: "traveller.working", end: "traveller.thanks" }[stage]);
}

function show(event) {
  last = event;
  const scene = sceneOf(event);
  main.dataset.stage = event.stage;
  for (const section of document.querySelectorAll("[data-scene]")) section.hidden = section.dataset.scene !== scene;
  const says = sentence(event);
  if (pick("#say").textContent !== says) pick("#say").textContent = says;
  if (scene === "finger") showFinger(event.position);
  if (scene === "face") showFace(event.instruction);
}

function showFinger(position) {
  if (!position) return;
  for (const digit of document.querySelectorAll(".digit")) digit.dataset.state = Number(digit.dataset.position) === position ? "asked" : "";
  pick('[data-hand="left"]').hidden = position < 6;
  pick('[data-hand="right"]').hidden = position > 5;
  pick("#which-finger").textContent = words(`finger.${position}`);
}

function showFace(instruction) {
  const turn = WAYS[instruction];
  const way = pick("#way");
  way.toggleAttribute("hidden", turn === undefined);
  if (turn !== undefined) {
    const angle = (turn * Math.PI) / 180;
    way.setAttribute("transform", `translate(${100 + Math.cos(angle) * 78} ${96 + Math.sin(angle) * 78}) rotate(${turn})`);
  }
  const size = SIZES[instruction] ?? 1;
  pick("#head").setAttribute("transform", `translate(100 100) scale(${size}) translate(-100 -100)`);
}

function told(event) {
  clearTimeout(timer);
  show(event);
  // The next traveller begins with the language the booth begins with.
  if (event.stage === "end") timer = setTimeout(() => { last = { stage: "idle" }; speak(first); }, FORGET_MS);
}

startPage();
for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => speak(button.dataset.language));
follow("/traveller/events", { traveller: told }, { onState: showConnection });
