// Accounts and roles, for administrators.

import { api, ask, make, pick, toast } from "/static/web/edge.js";
import { attempt, me, startConsole } from "/static/console/console.js";

const rows = pick("#rows");
const dialog = pick("#account-dialog");

function row(account) {
  const state = !account.is_enabled ? ["disabled", "bad"] : account.is_locked ? ["locked for now", "warning"] : ["enabled", "good"];
  const actions = make("td", { class: "row fixed end" });
  const add = (label, testid, action) => {
    const button = make("button", { class: "button small", type: "button", "data-testid": testid, "aria-label": `${label} ${account.name}`, text: label });
    button.addEventListener("click", action);
    actions.append(button);
  };
  add("Change", "change-account", () => edit(account));
  if (account.name !== me.name) add(account.is_enabled ? "Disable" : "Enable", "toggle-account", () => change(account.name, { is_enabled: !account.is_enabled }));
  return make("tr", { "data-testid": "account" }, make("th", { scope: "row", text: account.name }), make("td", { text: account.display_name }), make("td", { text: account.role }), make("td", {}, make("span", { class: "badge", "data-level": state[1], text: state[0] })), actions);
}

async function change(name, body) {
  const done = await attempt(() => api(`/api/accounts/${encodeURIComponent(name)}`, { body }));
  if (done) toast(`${name}: saved`, "good");
  load();
}

async function edit(account) {
  pick("#account-title").textContent = account ? `Change ${account.name}` : "Add an account";
  const name = pick("#a-name");
  name.value = account?.name ?? "";
  name.readOnly = Boolean(account);
  pick("#a-shown").value = account?.display_name ?? "";
  pick("#a-role").value = account?.role ?? "operator";
  pick("#a-role").disabled = account?.name === me.name;
  pick("#a-password").value = "";
  pick("#a-password").required = !account;
  pick("#password-hint").textContent = account ? "Empty: the password stays." : "Told to the person in private.";
  const values = await ask(dialog);
  if (!values) return;
  if (!account) {
    const done = await attempt(() => api("/api/accounts", { body: values }));
    if (done) toast(`${values.name}: added`, "good");
    load();
    return;
  }
  const body = { display_name: values.display_name };
  if (values.role && values.role !== account.role) body.role = values.role;
  if (values.password) body.password = values.password;
  change(account.name, body);
}

async function load() {
  const found = await attempt(() => api("/api/accounts", { isBackground: true }));
  if (found) rows.replaceChildren(...found.map(row));
}

pick("#add").addEventListener("click", () => edit(null));
startConsole();
load();
