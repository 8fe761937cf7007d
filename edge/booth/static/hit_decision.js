// The officers' verdicts on a referral: the first, a second of another person, what then.

import { api, dateTime, icon, make, pick, text } from "/static/web/edge.js";
import { askReason } from "./reasons.js";

const REASONS = {
  confirm: ["fingerprints_agree", "faces_agree", "document_agrees", "other"],
  refute: ["fingerprints_differ", "faces_differ", "document_differs", "other"],
  cannot_tell: ["poor_capture", "poor_reference", "no_reference_image", "evidence_contradicts", "other"],
};
const VERDICTS = [["confirm", "danger", "octagon", "1"], ["refute", "good", "check-circle", "2"], ["cannot_tell", "", "diamond", "3"]];
const SHOWN = { confirmed: "refer", refuted: "clear", undetermined: "degraded", disputed: "retry", awaiting_second: "retry", undecided: "" };

/** The card of a hit's decision. onChange: it was said; onDone: on to the next traveller. */
export function decisionCard(hit, { onChange, onDone }) {
  const { state, first, second } = hit.decision;
  const card = make("section", { class: "card decision", "data-state": SHOWN[state], "aria-label": text("decision.title"), "data-testid": "hit-decision", "data-decision": state },
    make("h2", { text: text(`decision.${state}`) }));
  for (const said of [first, second].filter(Boolean)) card.append(saidBy(said));
  if (state === "undecided") card.append(...firstVerdict(hit, onChange));
  else if (state === "awaiting_second") card.append(secondVerdict(hit, onChange));
  else card.append(make("p", { class: "what-next", role: "status", text: text(`decision.${state}.next`) }));
  const isOpen = state === "undecided" || state === "awaiting_second";
  const next = make("button", { class: isOpen ? "button quiet whole small" : "button primary large whole", type: "button", "data-testid": "next-traveller", text: text(isOpen ? "hit.leave_open" : "start.next_traveller") });
  next.addEventListener("click", onDone);
  card.append(next);
  return card;
}

function saidBy(said) {
  return make("p", { class: "said" }, icon("person"), make("span", {},
    make("b", { class: "isolate", text: said.officer }), ` · ${text(`verdict.${said.verdict}`)} · ${text(`verdict_reason.${said.reason}`)}${said.note ? ` · “${said.note}”` : ""} `,
    make("small", { class: "muted", text: dateTime(said.at) })));
}

function firstVerdict(hit, onChange) {
  const problem = make("p", { class: "error", role: "alert" });
  const buttons = VERDICTS.map(([verdict, look, name, key]) => {
    const button = make("button", { class: `button whole ${look}`, type: "button", "data-verdict": verdict, "data-testid": `verdict-${verdict}` },
      icon(name), make("span", { text: text(`verdict.${verdict}`) }), make("kbd", { text: key }));
    button.addEventListener("click", async () => {
      const said = await askReason({ title: text(`verdict.${verdict}`), lead: text(`verdict.${verdict}.lead`), done: text("verdict.done"), choices: REASONS[verdict].map((code) => [code, text(`verdict_reason.${code}`)]) });
      if (!said) return;
      try {
        await api(`/api/hits/${encodeURIComponent(hit.hit_id)}/decision`, { body: { verdict, reason: said.reason, note: said.note } });
      } catch (error) {
        problem.textContent = error.message;
      }
      onChange();
    });
    return button;
  });
  return [make("p", { class: "muted", text: text(hit.decision.needs_second ? "decision.two_needed" : "decision.one_needed") }), ...buttons, problem];
}

function secondVerdict(hit, onChange) {
  const field = (name, type, label) => make("div", { class: "field" }, make("label", { for: `second-${name}`, text: text(label) }),
    make("input", { class: "input", id: `second-${name}`, name, type, required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false", dir: "ltr", maxlength: 256, "data-testid": `second-${name}` }));
  const verdicts = make("div", { class: "choices" }, ...VERDICTS.map(([verdict]) => make("label", { class: "choice" },
    make("input", { type: "radio", name: "verdict", value: verdict, required: true, "data-testid": `second-${verdict}` }), make("span", { text: text(`verdict.${verdict}`) }))));
  const reason = make("select", { class: "select", id: "second-reason", name: "reason", required: true, "data-testid": "second-reason" });
  const problem = make("p", { class: "error", role: "alert", "data-testid": "second-error" });
  const submit = make("button", { class: "button primary large whole", "data-testid": "second-done", text: text("second.done") });
  const form = make("form", { class: "stack", "data-testid": "second-form" },
    make("div", { class: "note", "data-level": "warning" }, icon("people"), make("p", { text: text("decision.second_lead") })),
    make("div", { class: "pair" }, field("name", "text", "second.name"), field("password", "password", "second.password")),
    make("fieldset", { class: "field" }, make("legend", { text: text("second.verdict") }), verdicts),
    make("div", { class: "pair" }, make("div", { class: "field" }, make("label", { for: "second-reason", text: text("second.reason") }), reason),
    make("div", { class: "field" }, make("label", { for: "second-note", text: text("second.note") }), make("input", { class: "input", id: "second-note", name: "note", maxlength: 500, "data-testid": "second-note" }))),
    problem, submit);
  form.addEventListener("change", (event) => {
    if (event.target.name === "verdict") reason.replaceChildren(...REASONS[event.target.value].map((code) => make("option", { value: code, text: text(`verdict_reason.${code}`) })));
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    submit.disabled = true;
    const said = Object.fromEntries(new FormData(form));
    try {
      await api(`/api/hits/${encodeURIComponent(hit.hit_id)}/second`, { body: { ...said, note: said.note.trim() }, stay: true });
      onChange();
    } catch (error) {
      problem.textContent = error.status === 401 ? text("second.refused") : error.message;
      pick("#second-password", form).value = "";
      pick("#second-password", form).focus();
    } finally {
      submit.disabled = false;
    }
  });
  return form;
}
