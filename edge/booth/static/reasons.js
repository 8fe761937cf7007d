// The dialog that asks for a typed reason, and the words of reasons.

import { hasText, make, pick, text } from "/static/web/edge.js";

/** "fingerprint: too_dry" in words. A word that is not known is shown as it is. */
export function reasonText(reason) {
  const [modality, code] = reason.includes(": ") ? reason.split(": ") : [null, reason];
  const special = `reason.${modality}.${code}`;
  const words = text(hasText(special) ? special : `reason.${code}`);
  return modality ? text("reason.of", { what: text(`modality.${modality}`), why: words }) : words;
}

/** Ask for a reason. choices: [value, label]; ways: the same, how to go on; a note is
 *  needed where the reason is "other". Returns {reason, note, way} or null. */
export function askReason({ title, lead, done, choices, ways = [] }) {
  const dialog = pick("#reason-dialog");
  const form = pick("form", dialog);
  const note = pick("#reason-note");
  const error = pick("#note-error");
  pick("#reason-title").textContent = title;
  pick("#reason-lead").textContent = lead;
  pick("#reason-done").textContent = done;
  pick("#way-on").hidden = ways.length === 0;
  fill(pick("#reason-choices"), "reason", choices);
  fill(pick("#way-choices"), "way", ways);
  note.value = "";
  const isOther = () => form.elements.reason.value === "other";
  const check = () => {
    const isMissing = isOther() && !note.value.trim();
    pick("#note-need").textContent = isOther() ? text("note.needed") : text("note.optional");
    return !isMissing;
  };
  const submit = (event) => {
    const isRight = check();
    error.hidden = isRight;
    note.setAttribute("aria-invalid", String(!isRight));
    if (isRight) return;
    event.preventDefault();
    note.focus();
  };
  error.hidden = true;
  note.removeAttribute("aria-invalid");
  form.addEventListener("change", check);
  form.addEventListener("submit", submit);
  check();
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      form.removeEventListener("change", check);
      form.removeEventListener("submit", submit);
      const values = Object.fromEntries(new FormData(form));
      resolve(dialog.returnValue === "done" ? { reason: values.reason, note: note.value.trim(), way: values.way ?? null } : null);
    }, { once: true });
    dialog.showModal();
    form.elements.reason[0]?.focus();
  });
}

function fill(frame, name, choices) {
  frame.replaceChildren(...choices.map(([value, label], index) =>
    make("label", { class: "choice" },
      make("input", { type: "radio", name, value, required: true, checked: index === 0, "data-testid": `${name}-${value}` }),
      make("span", { text: label }))));
}
