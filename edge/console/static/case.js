// One case: who, what the evidence says, what was done, what can be done.

import { api, ask, icon, make, number, pick, toast } from "/static/web/edge.js";
import { drillBadge, exact, me, oneIn, severityBadge, words } from "/static/console/console.js";
import { comparisonsOf, imagePairs } from "/static/console/evidence.js";

let instructions = null;
let outcomes = null;
let current = null;

const OUTCOMES = [
  ["identified", "The person, and dealt with"],
  ["not_the_person", "Not the person"],
  ["person_left", "The person has left"],
  ["handed_over", "Handed over to another authority"],
  ["no_action", "The person, nothing to be done"],
  ["drill", "A drill"],
];

/** Put a case into an element. isUpdate: what is typed and scrolled stays. */
export async function showCase(element, hitId, { act, isUpdate = false }) {
  let detail;
  try {
    instructions ??= await api("/api/cases/instructions", { isBackground: true });
    detail = await api(`/api/cases/${encodeURIComponent(hitId)}`, { isBackground: isUpdate });
  } catch (error) {
    element.replaceChildren(make("div", { class: "empty" }, icon("octagon"), make("p", { text: error.message })));
    return;
  }
  const isSame = isUpdate && current === hitId;
  const draft = isSame ? element.querySelector("#instruction")?.value : "";
  const remark = isSame ? element.querySelector("#remark")?.value : "";
  const scroll = isSame ? element.scrollTop : 0;
  const focused = isSame && element.contains(document.activeElement) ? document.activeElement.id : "";
  const evidence = isSame ? element.querySelector("#evidence") : null;
  current = hitId;
  element.replaceChildren(...whole(detail, act, evidence));
  if (draft) pick("#instruction", element).value = draft;
  if (remark) pick("#remark", element).value = remark;
  element.scrollTop = scroll;
  if (focused) document.getElementById(focused)?.focus();
  if (!evidence) fillEvidence(pick("#evidence", element), detail);
}

function whole(detail, act, evidence) {
  const view = detail.case;
  return [
    view.is_drill ? make("div", { class: "drill-band", role: "note" }, icon("drill"), "DRILL: a synthetic person. Nobody is to be held.") : null,
    head(detail, act),
    make("div", { class: "case-columns" },
      make("div", { class: "stack" }, handlingCard(detail), evidence ?? make("section", { class: "card", id: "evidence", "aria-label": "Evidence" }), candidatesCard(detail), ...[entryCard(detail)].filter(Boolean)),
      make("div", { class: "stack" }, ...[officerCard(detail), actionCard(detail, act), timelineCard(detail, act)].filter(Boolean))),
  ].filter(Boolean);
}

function head(detail, act) {
  const view = detail.case;
  const facts = make("div", { class: "row small muted" },
    make("span", {}, icon("map"), ` ${view.booth_id}`),
    make("span", { text: `found ${exact(view.occurred_at)}` }),
    view.is_historical ? make("span", { class: "badge", "data-level": "warning", text: "came late" }) : null,
    make("span", {}, "case ", make("span", { class: "code", text: view.hit_id.slice(0, 12) })));
  return make("header", { class: "case-head" },
    make("div", { class: "stack tight" },
      make("div", { class: "row tight" }, severityBadge(view), view.is_drill ? drillBadge() : null, claimBadge(view), view.escalated_at ? make("span", { class: "badge", "data-level": "warning" }, icon("flag"), "escalated") : null),
      make("h2", { class: "case-name", "data-testid": "case-name", text: view.name ?? view.entry_id }),
      facts),
    make("div", { class: "row end" }, ...buttons(detail, act)));
}

function claimBadge(view) {
  if (view.state === "closed") return make("span", { class: "badge", "data-testid": "case-state", text: `closed: ${words(view.outcome)}` });
  if (!view.claimed_by) return make("span", { class: "badge", "data-level": "bad", "data-testid": "case-state" }, icon("bell"), "unclaimed");
  return make("span", { class: "badge", "data-level": view.claimed_by === me.name ? "good" : null, "data-testid": "case-state" }, icon("person"), view.claimed_by === me.name ? "yours" : view.claimed_by);
}

function button(label, name, iconName, action, classes = "") {
  const element = make("button", { class: `button ${classes}`.trim(), type: "button", id: `do-${name}`, "data-testid": `case-${name}` }, iconName ? icon(iconName) : null, label);
  element.addEventListener("click", action);
  return element;
}

function buttons(detail, act) {
  const view = detail.case;
  const found = [];
  if (me.may_act && view.state === "open") {
    if (!view.claimed_by) found.push(button("Claim", "claim", "hand", () => act(view, "claim"), "primary"));
    else if (detail.is_mine) {
      found.push(button("Release", "release", "skip", () => act(view, "release")));
      if (!view.escalated_at) found.push(button("Escalate", "escalate", "flag", () => reasoned("Escalate", "A supervisor is called; the case stays yours and goes to the top.", (reason) => act(view, "escalate", { reason }))));
      found.push(button("Close", "close", "check", () => closing(view, act), "primary"));
    } else if (me.may_lead) found.push(button("Take over", "take-over", "handover", () => reasoned("Take over", `The case is ${view.claimed_by}'s. Your reason stands in the audit log.`, (reason) => act(view, "take-over", { reason }))));
  }
  const form = make("form", { method: "post", action: `/api/cases/${encodeURIComponent(view.hit_id)}/archive` },
    make("input", { type: "hidden", name: "csrf", value: document.querySelector('meta[name="csrf"]').content }),
    make("button", { class: "button", type: "submit", id: "do-export", "data-testid": "case-export" }, icon("download"), "Export"));
  found.push(form);
  return found;
}

async function reasoned(title, hint, go) {
  const dialog = pick("#reason-dialog");
  pick("#reason-title").textContent = title;
  pick("#reason-hint").textContent = hint;
  pick("#reason").value = "";
  const values = await ask(dialog);
  if (values) go(values.reason);
}

async function closing(view, act) {
  const frame = pick("#outcomes");
  outcomes = OUTCOMES.filter(([key]) => (key === "drill") === view.is_drill);
  frame.replaceChildren(...outcomes.map(([key, label], index) => make("label", { class: "choice" }, make("input", { type: "radio", name: "outcome", value: key, required: true, checked: index === 0 && outcomes.length === 1, "data-testid": `outcome-${key}` }), make("span", { text: label }))));
  pick("#close-note").value = "";
  const values = await ask(pick("#close-dialog"));
  if (values) act(view, "close", { outcome: values.outcome, note: values.note });
}

function handlingCard(detail) {
  const entry = detail.entry;
  if (!entry) return make("section", { class: "note", "data-level": "warning" }, icon("triangle"), make("p", { text: "The hub no longer knows the entry of this hit." }));
  return make("section", { class: "handling", "aria-label": "Handling" }, make("span", { class: "label", text: entry.handling_code }), make("p", { text: entry.instruction }));
}

function entryCard(detail) {
  const entry = detail.entry;
  if (!entry) return null;
  const rows = [["Category", entry.category], ["Originator", entry.originator], ["Legal basis", entry.legal_basis], ["Valid", `${entry.valid_from.slice(0, 10)} to ${entry.expires_at?.slice(0, 10) ?? "no end"}`], ["Entry", `${entry.entry_id}, version ${entry.version}`]];
  return make("section", { class: "card", "aria-label": "Entry", "data-testid": "entry" },
    make("header", {}, make("h3", { text: "Entry" })),
    entry.is_on_watchlist ? null : make("p", { class: "note", "data-level": "warning" }, icon("triangle"), "Withdrawn from the watchlist since."),
    make("dl", { class: "facts" }, ...rows.flatMap(([key, value]) => [make("dt", { text: key }), make("dd", { text: value })])));
}

function candidatesCard(detail) {
  const rows = detail.candidates.flatMap((candidate) => (candidate.samples.length ? candidate.samples : [candidate]).map((sample) => make("tr", {},
    make("td", { text: candidate.name ?? candidate.entry_id }),
    make("td", { text: [sample.modality, sample.position_name].filter(Boolean).join(", ") }),
    make("td", { class: "number", text: oneIn(sample.one_in) }),
    make("td", {}, sample.is_deciding ? make("span", { class: "badge", "data-level": "info", text: "deciding" }) : null))));
  return make("section", { class: "card flush", "aria-label": "Scores" },
    make("table", { class: "table" }, make("caption", { text: `One false alarm ${oneIn(detail.case.one_in).replace("1 in", "in")} comparisons` }),
      make("thead", {}, make("tr", {}, ...["Candidate", "Sample", "By chance", ""].map((label) => make("th", { text: label })))),
      make("tbody", {}, ...rows)));
}

function officerCard(detail) {
  const level = { confirmed: "bad", refuted: "good", disputed: "warning", awaiting_second: "warning" }[detail.case.decision];
  const said = detail.decisions.map((item) => make("li", { class: "stack tight" },
    make("div", { class: "row tight" }, make("strong", { text: item.officer }), make("span", { class: "badge", text: words(item.verdict) }), make("span", { class: "muted small", text: exact(item.at) })),
    make("p", { class: "small", text: [words(item.reason), item.note].filter(Boolean).join(": ") })));
  return make("section", { class: "card", "aria-label": "Booth officer", "data-testid": "officer-decision" },
    make("header", {}, make("h3", { text: "At the booth" }), make("span", { class: "badge", "data-level": level, text: words(detail.case.decision) })),
    said.length ? make("ul", { class: "stack" }, ...said) : make("p", { class: "muted", text: "The officer has not decided yet." }));
}

function actionCard(detail, act) {
  const view = detail.case;
  if (!me.may_act || view.state === "closed") return null;
  const area = make("textarea", { class: "area", id: "instruction", maxlength: "4000", "aria-label": "Instruction to the officer", "data-testid": "instruction", placeholder: detail.is_mine ? "Instruction to the officer" : "Claim the case to instruct the officer", disabled: !detail.is_mine });
  const choose = make("select", { class: "select", id: "standard", "aria-label": "Standard instructions", "data-testid": "standard-instruction", disabled: !detail.is_mine }, make("option", { value: "", text: "Standard instructions" }), ...instructions.map((item) => make("option", { value: item.text, text: item.text })));
  choose.addEventListener("change", () => {
    if (choose.value) area.value = choose.value;
    choose.value = "";
    area.focus();
  });
  const send = button("Send to the booth", "instruct", "mail", async () => {
    const text = area.value.trim();
    if (!text) return toast("Write or choose an instruction.", "warning");
    area.value = "";
    await act(view, "instruct", { text });
  }, "primary");
  send.disabled = !detail.is_mine;
  return make("section", { class: "card stack", "aria-label": "Instruct" }, make("h3", { text: "Instruct the officer" }), choose, area, make("div", { class: "row end" }, send));
}

const TOLD = {
  received: () => "Hit received",
  claimed: () => "Claimed",
  released: () => "Given back to the queue",
  taken_over: (body) => `Taken over from ${body.from}: ${body.reason}`,
  noted: (body) => body.text,
  instructed: (body) => `Instructed: ${body.text}`,
  instruction_answered: (body) => (body.outcome === "done" ? "The booth has shown the instruction" : `Instruction ${words(body.outcome)}${body.detail ? `: ${body.detail}` : ""}`),
  decided: (body) => `${body.officer}: ${words(body.verdict)} (${words(body.reason)})${body.note ? `: ${body.note}` : ""}`,
  escalated: (body) => `Escalated: ${body.reason}`,
  closed: (body) => `Closed: ${words(body.outcome)}${body.note ? `: ${body.note}` : ""}`,
  exported: () => "Exported as a signed archive",
};

function timelineCard(detail, act) {
  const items = [...detail.timeline].reverse().map((event) => make("li", { "data-kind": event.kind, "data-testid": "timeline-event" },
    make("p", { text: (TOLD[event.kind] ?? (() => words(event.kind)))(event.body) }),
    make("p", { class: "muted small", text: `${event.actor} · ${exact(event.at)}` })));
  const remark = make("input", { class: "input", id: "remark", maxlength: "4000", "aria-label": "Remark", placeholder: "Add a remark", "data-testid": "remark" });
  const form = make("form", { class: "row fixed" }, remark, make("button", { class: "button", type: "submit", "data-testid": "add-remark", text: "Add" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = remark.value.trim();
    remark.value = "";
    if (text) act(detail.case, "note", { text });
  });
  return make("section", { class: "card stack", "aria-label": "Timeline" }, make("header", { class: "row ends" }, make("h3", { text: "Timeline" }), make("span", { class: "muted small", text: number(detail.timeline.length) })), me.may_act ? form : null, make("ol", { class: "timeline", "data-testid": "timeline" }, ...items));
}

async function fillEvidence(element, detail) {
  const comparisons = await comparisonsOf(detail.case.hit_id);
  element.replaceChildren(make("header", {}, make("h3", { text: "Evidence" }), make("span", { class: "muted small", text: "captured at the booth · from the watchlist" })), ...imagePairs(detail, comparisons));
}
