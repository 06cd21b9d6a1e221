// Small comforts on every page, all of which works without them: keys, drafts, times that stay true, a command palette.
// Text is only ever put in as text, so the policy `ruledesk` makes no HTML.

const html = document.documentElement;
html.classList.add("js");
const body = document.body;
const $ = (query, from = document) => from.querySelector(query);
const $$ = (query, from = document) => [...from.querySelectorAll(query)];

/** Says something to readers of screens, without moving the focus. */
export function say(text) {
  const place = $("#say");
  if (place) place.textContent = text;
}

/** An element with attributes and children, which are elements or texts. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Focus goes to what is wrong, or to the result.
const first = $("[data-focus]");
if (first) first.focus();

// Times: the words stay true while the page is open, in the words that the server used.
const shown = $$("time[data-time]");
function span(minutes, samples) {
  const [day, hour, minute] = samples;
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60), rest = minutes % 60;
  if (days > 0) return days < 7 && hours > 0 ? `${day(days)} ${hour(hours)}` : day(days);
  if (hours > 0) return rest > 0 ? `${hour(hours)} ${minute(rest)}` : hour(hours);
  return minute(rest);
}
const language = html.lang.startsWith("de") ? "de" : "en";
const units = language === "de"
  ? [(n) => `${n} ${n === 1 ? "Tag" : "Tg."}`, (n) => `${n} Std.`, (n) => `${n} Min.`]
  : [(n) => `${n} ${n === 1 ? "day" : "days"}`, (n) => `${n} h`, (n) => `${n} min`];
const phrases = language === "de"
  ? { ago: (s) => `vor ${s}`, due: (s) => `fällig in ${s}`, late: (s) => `überfällig seit ${s}`, left: (s) => `noch ${s}` }
  : { ago: (s) => `${s} ago`, due: (s) => `due in ${s}`, late: (s) => `overdue by ${s}`, left: (s) => `${s} left` };
function refresh() {
  if (html.lang.includes("pseudo")) return;
  for (const element of shown) {
    const minutes = Math.floor((Date.parse(element.dateTime) - Date.now()) / 60000);
    const kind = element.dataset.time;
    if (kind === "ago" && -minutes > 1 && -minutes < 20160) element.textContent = phrases.ago(span(-minutes - 1, units));
    if (kind === "due") element.textContent = minutes >= 0 ? phrases.due(span(minutes, units)) : phrases.late(span(-minutes - 1, units));
    if (kind === "left" && minutes >= 0) element.textContent = phrases.left(span(minutes, units));
  }
}
setInterval(refresh, 30000);

// Drafts: what was typed is kept in this browser until it has been sent, whatever happens to the page.
const person = body.dataset.person || "";
for (const form of $$("form[data-draft]")) {
  const name = `draft:${person}:${form.dataset.draft}`;
  const fields = () => [...form.elements].filter((f) => f.name && !["hidden", "submit", "checkbox", "radio"].includes(f.type) && f.tagName !== "BUTTON");
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(name) || "null"); } catch { kept = null; }
  const note = $("[data-draft-note]", form);
  if (kept) for (const field of fields()) if (!field.value && kept[field.name]) {
    field.value = kept[field.name];
    if (note) { note.hidden = false; note.textContent = body.dataset.draft; }
    const radio = form.classList.contains("note-pane") && document.getElementById("c-note");
    if (radio) radio.checked = true;
  }
  form.addEventListener("input", () => {
    const now = Object.fromEntries(fields().filter((f) => f.value).map((f) => [f.name, f.value]));
    try { localStorage.setItem(name, JSON.stringify(now)); } catch { /* the browser keeps nothing: the page still works */ }
    if (note) { note.hidden = false; note.textContent = body.dataset.draft; }
  });
  // It is forgotten where the next page says that it arrived, and not before.
  form.addEventListener("submit", () => sessionStorage.setItem("sent", JSON.stringify([name, location.pathname])));
}
{
  const sent = JSON.parse(sessionStorage.getItem("sent") || "null");
  const arrived = /[?&](sent|done)=/.test(location.search) || $(".notice.good");
  if (sent && arrived) { localStorage.removeItem(sent[0]); for (const field of $$("form[data-draft] textarea")) if (!field.defaultValue && `draft:${person}:${field.form.dataset.draft}` === sent[0]) { field.value = ""; const note = $("[data-draft-note]", field.form); if (note) note.hidden = true; } }
  if (sent) sessionStorage.removeItem("sent");
}

// A form is sent once: a second click finds it busy.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending) return event.preventDefault();
  form.dataset.sending = "1";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => $$("form[data-sending]").forEach((form) => { delete form.dataset.sending; $$("[aria-busy]", form).forEach((b) => b.removeAttribute("aria-busy")); }));

// A field that shapes others brings the form up to date.
for (const field of $$("[data-act=update]")) field.addEventListener("change", () => {
  const button = $("button[name=update]", field.form);
  if (button) field.form.requestSubmit(button);
});

// Articles that may answer a request, as one types: only ever the last question is asked.
for (const form of $$("form[data-suggest]")) {
  const place = $("[data-suggestions]", form);
  let waiting = null, running = null;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    const text = ["#subject", "#body"].map((field) => $(field, form)?.value || "").join(" ").trim();
    if (text.length < 4) { place.hidden = true; return; }
    const answer = await fetch(`/help/suggest?q=${encodeURIComponent(text.slice(0, 2000))}`, { signal: running.signal }).catch(() => null);
    if (!answer?.ok) return;
    const found = (await answer.json()).slice(0, 3);
    $("ul", place).replaceChildren(...found.map((one) => make("li", {},
      make("a", { href: `/help/${one.key}`, target: "_blank", rel: "noopener", class: "grow" }, one.title),
      make("button", { class: "small", type: "submit", formaction: `/help/${one.key}/solved`, formnovalidate: "", name: "solved", value: "1" }, place.dataset.solved))));
    place.hidden = found.length === 0;
  };
  form.addEventListener("input", (event) => {
    if (!["subject", "body"].includes(event.target.id)) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
}

// The key of a ticket, with its subject at the second press, with its address at the third.
let copies = 0;
export function copyKey() {
  const place = $("[data-copy]");
  if (!place) return;
  const key = place.textContent.trim(), subject = place.dataset.subject || document.title;
  const text = [key, `${key} ${subject}`, `${key} ${subject} ${location.origin}/tickets/${key}`][copies % 3];
  copies += 1;
  navigator.clipboard?.writeText(text).then(() => say(text), () => {});
}

// Keys: each element says its own by `data-key`, so that what the overview lists is what works.
const keys = () => $$("[data-key]").filter((element) => element.dataset.key && element.getClientRects().length > 0);
const label = (element) => (element.querySelector?.(":scope > .count") && element.firstChild.textContent || element.getAttribute("aria-label") || (element.labels && element.labels[0]?.textContent) || element.querySelector?.("summary")?.textContent || element.textContent || element.placeholder || "").trim();
const extra = [["Ctrl+K", () => body.dataset.palette, palette]];
/** Adds keys that belong to no element: the key, its words, and what to do. */
export function addKey(key, words, act) { extra.push([key, () => words, act]); }
const off = () => localStorage.getItem("keys") === "off";
const typing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(checkbox|radio)$/.test(element.type);

function act(element) {
  if (element.matches("input[type=radio]")) {
    element.checked = true;
    element.dispatchEvent(new Event("change", { bubbles: true }));
    const pane = $(element.id === "c-note" ? ".note-pane textarea" : ".reply-pane textarea");
    pane?.focus();
  } else if (element.matches("input, textarea, select")) element.focus();
  else if (element.matches("details")) { element.open = true; ($("select, input:not([type=hidden]), textarea", element) || element).focus(); }
  else if (element.matches("[data-back]") && document.referrer.startsWith(`${location.origin}/queue`)) history.back();
  else element.click();
}

let prefix = "";
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const mod = event.ctrlKey || event.metaKey, dialog = $("dialog[open]");
  if (mod && event.key.toLowerCase() === "k") { event.preventDefault(); return palette(); }
  if (mod && event.key === "Enter") {
    const wanted = event.shiftKey ? "Ctrl+Shift+Enter" : "Ctrl+Enter";
    const button = $(`[data-key="${wanted}"]`, event.target.form || document);
    if (button) { event.preventDefault(); button.click(); }
    return;
  }
  if (mod || event.altKey || dialog || off()) return;
  if (typing(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
  const key = prefix ? `${prefix} ${event.key}` : event.key;
  const shared = extra.find(([name]) => name === key);
  if (shared) { prefix = ""; event.preventDefault(); return shared[2](event); }
  const element = keys().find((found) => found.dataset.key === key);
  if (element) { prefix = ""; event.preventDefault(); return act(element); }
  prefix = !prefix && event.key === "g" ? "g" : "";
  if (event.key === ".") copyKey();
});

/** A dialog with a heading, shown at once; it goes when it is closed. */
function dialog(title, name, ...children) {
  const box = make("dialog", { class: name, "aria-label": title }, ...children);
  body.append(box);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.showModal();
  return box;
}

function overview() {
  const seen = new Map();
  for (const [key, words] of extra) seen.set(key, words());
  for (const element of keys()) if (!seen.has(element.dataset.key)) seen.set(element.dataset.key, label(element));
  const list = make("dl", { class: "keys-list" });
  for (const [key, words] of seen) list.append(make("dt", {}, ...key.split(/[ +]/).map((part) => make("kbd", {}, part))), make("dd", {}, words));
  const toggle = make("label", { class: "check" }, make("input", { type: "checkbox" }), language === "de" ? " Einzelne Tasten benutzen" : " Use single keys");
  $("input", toggle).checked = !off();
  $("input", toggle).addEventListener("change", (event) => localStorage.setItem("keys", event.target.checked ? "on" : "off"));
  const close = make("button", { type: "button" }, body.dataset.close);
  const box = dialog(body.dataset.keysTitle, "keys", make("h2", {}, body.dataset.keysTitle), list, toggle, close);
  close.addEventListener("click", () => box.close());
}
$$("[data-act=keys]").forEach((button) => button.addEventListener("click", overview));

// The palette: pages, actions of this page, and any ticket by its key.
function palette() {
  if ($("dialog.palette")) return;
  const targets = [
    ...$$(".main-nav a, .views a, .sub-nav a").map((link) => [label(link), link.dataset.key || "", () => link.click()]),
    ...keys().filter((element) => !element.matches(".main-nav a, .views a:not(.button)")).map((element) => [label(element), element.dataset.key, () => act(element)]),
  ].filter(([words]) => words);
  const input = make("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": body.dataset.palette, autocomplete: "off" });
  const list = make("ul", { id: "palette-list", role: "listbox", "aria-label": body.dataset.palette });
  const box = dialog(body.dataset.palette, "palette", make("h2", {}, body.dataset.palette), input, list);
  let at = 0, offered = [];
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    offered = targets.filter(([words]) => words.toLowerCase().includes(wanted));
    const key = wanted.match(/^(?:it-)?(\d+)$/);
    if (key) offered.unshift([`IT-${key[1]}`, "", () => { location.href = `/tickets/IT-${key[1]}`; }]);
    else if (wanted) offered.push([`${$(".find label")?.textContent || "Search"}: ${input.value.trim()}`, "", () => { location.href = `/find?q=${encodeURIComponent(input.value.trim())}`; }]);
    at = Math.min(at, Math.max(0, offered.length - 1));
    list.replaceChildren(...offered.map(([words, key], n) => {
      const item = make("li", { role: "option", id: `option-${n}`, "aria-selected": String(n === at) }, words, key ? make("kbd", {}, key) : "");
      item.addEventListener("click", () => choose(n));
      return item;
    }));
    if (offered.length) input.setAttribute("aria-activedescendant", `option-${at}`); else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (n) => { const chosen = offered[n]; box.close(); chosen?.[2](); };
  input.addEventListener("input", () => { at = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") at = Math.min(at + 1, offered.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else if (event.key === "Enter") { event.preventDefault(); return choose(at); }
    else return;
    event.preventDefault();
    draw();
  });
  draw();
  input.focus();
}
