// Small comforts on every page, all of which works without them: keys, drafts, times that stay true, a command palette.
// Text is only ever put in as text, so the policy `ruledesk` makes no HTML.

const body = document.body;
const $ = (query, from = document) => from.querySelector(query);
const $$ = (query, from = document) => [...from.querySelectorAll(query)];

/** Says something to readers of screens, without moving the focus. */
function say(text) {
  const place = $("#say");
  if (place) place.textContent = text;
}

// Pages of this desk alone are read so, and what is taken of them is put in as elements.
const policy = globalThis.trustedTypes?.createPolicy("ruledesk", { createHTML: (text) => text });
const parse = (text) => new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");

/** An element with attributes and children, which are elements or texts. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** The facts at an address; nothing where no answer comes, or a page does, such as that of signing in. */
const facts = (address, options) => fetch(address, { headers: { accept: "application/json" }, ...options })
  .then((answer) => answer.ok && !answer.redirected ? answer.json() : null).catch(() => null);

/** Whether an answer is the page of signing in, since the session has ended. */
const isOut = (answer) => answer?.redirected && new URL(answer.url).pathname === "/sign-in";

/** The sentences of a problem, which a script gets in the place of a page; none where there is no such answer. */
const problemOf = (text) => { try { const { title, detail } = JSON.parse(text); return [title, detail].filter(Boolean); } catch { return []; } };

/** Does something with a page's content: now, and with what an act on the page puts in its place. */
const wires = [];
function wire(work) { wires.push(work); work(document); }
/** Does something after the page has been painted, each in a picture of its own; one that is not looked at is never painted. */
let turn = Promise.resolve();
function later(work) {
  turn = turn.then(() => new Promise((done) => {
    const once = () => { done(); work?.(); work = null; };
    requestAnimationFrame(() => setTimeout(once));
    setTimeout(once, 200);
  }));
}
/** Sets up what a page is painted without: after the first picture, or at once where its reader acts before. Each in a piece of work of its own. */
const pending = [];
function soon(work) { pending.push(work); later(() => pending.shift()?.()); }
for (const kind of ["keydown", "pointerdown", "click", "input", "change", "submit"]) addEventListener(kind, () => { while (pending.length) pending.shift()(); }, true);

// Focus goes to what is wrong, or to what came of an act, and not back to the beginning of the page.
function settle() {
  const first = $("[data-focus]") || (location.hash ? null : $(".notice.good[role=status], .lead[role=status]"));
  if (!first) return;
  if (!first.hasAttribute("tabindex")) first.setAttribute("tabindex", "-1");
  first.focus({ preventScroll: !first.matches("[data-focus]") });
}
settle();

// Times: the words stay true while the page is open, in the words that the server used.
const timeWords = body.dataset.times.split("|"), timed = (at, what) => timeWords[at].replace("{0}", what);
// The words of days, hours and minutes are at 0, 2 and 4: for one, and for several.
const counted = (at, n) => timed(n === 1 ? at : at + 1, n);
function span(minutes) {
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60), rest = minutes % 60;
  if (days > 0) return days < 7 && hours > 0 ? `${counted(0, days)} ${counted(2, hours)}` : counted(0, days);
  if (hours > 0) return rest > 0 ? `${counted(2, hours)} ${counted(4, rest)}` : counted(2, hours);
  return counted(4, rest);
}
function refresh() {
  for (const element of $$("time[data-time]")) {
    const minutes = Math.floor((Date.parse(element.dateTime) - Date.now()) / 60000);
    const kind = element.dataset.time;
    if (kind === "ago" && -minutes > 1 && -minutes < 20160) element.textContent = timed(6, span(-minutes - 1));
    if (kind === "due") element.textContent = minutes >= 0 ? timed(7, span(minutes)) : timed(8, span(-minutes - 1));
    if (kind === "left" && minutes >= 0) element.textContent = timed(9, span(minutes));
  }
}
setInterval(refresh, 30000);

// Drafts: what was typed is kept in this browser until it has been sent, whatever happens to the page.
const person = body.dataset.person || "";
const nameOf = (form) => `draft:${person}:${form.dataset.draft}`;
const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const forget = (name) => { try { localStorage.removeItem(name); } catch { /* nothing was kept */ } };
const values = "input:not([type=hidden], [type=file], [type=checkbox], [type=radio]), textarea, select";
const ticks = (field) => /^(checkbox|radio)$/.test(field.type);
// Ticks too where a form shapes itself, but not of files that the desk has.
const fields = (form) => [...form.elements].filter((f) => f.name && (f.matches(values) || ticks(f) && form.matches("[data-shaped]") && !f.name.startsWith("kept.")));
const keyOf = (field) => field.name + (ticks(field) ? field.value : "");
const valueOf = (field) => ticks(field) ? field.checked : field.value;
const keptOf = (form) => { try { return JSON.parse(recall(nameOf(form))) || {}; } catch { return {}; } };
function noted(form) {
  const note = $("[data-draft-note]", form);
  if (note) { note.hidden = false; note.textContent = body.dataset.draft; }
}
const shaped = new Set();
/** Fills empty fields with the draft; one that shapes others has the form come again, once. */
function restore(form) {
  const kept = keptOf(form);
  for (const field of fields(form)) {
    const key = keyOf(field), value = kept[key];
    if (!value || valueOf(field)) continue;
    if (ticks(field)) field.checked = true; else field.value = value;
    if (field.selectedIndex < 0) field.selectedIndex = 0;
    noted(form);
    const radio = form.classList.contains("note-pane") && document.getElementById("c-note");
    if (radio) radio.checked = true;
    if (field.matches("[data-act=update]") && !shaped.has(key)) { shaped.add(key); later(() => field.dispatchEvent(new Event("change", { bubbles: true }))); }
  }
}
wire((page) => { for (const form of $$("form[data-draft]", page)) {
  const name = nameOf(form);
  restore(form);
  for (const kind of ["input", "change"]) form.addEventListener(kind, () => {
    // Fields that are not asked for now may be again.
    const now = keptOf(form);
    for (const field of fields(form)) now[keyOf(field)] = valueOf(field);
    try { localStorage.setItem(name, JSON.stringify(now)); } catch { /* the browser keeps nothing: the page still works */ }
    noted(form);
  });
  // It is forgotten where the next page says that it arrived, and not before.
  form.addEventListener("submit", () => sessionStorage.setItem("sent", JSON.stringify([name, location.pathname])));
} });
let struck = false;
function strike() {
  if (struck) return;
  struck = true;
  const sent = JSON.parse(sessionStorage.getItem("sent") || "null");
  const arrived = /[?&](sent|done|none)=/.test(location.search) || $(".notice.good");
  if (sent && arrived) { forget(sent[0]); for (const field of $$("form[data-draft] textarea")) if (!field.defaultValue && nameOf(field.form) === sent[0]) { field.value = ""; const note = $("[data-draft-note]", field.form); if (note) note.hidden = true; } }
  if (sent) sessionStorage.removeItem("sent");
}
// What the browser keeps is asked for at once only where a field is filled with it; at the latest where the page is left.
if ($("form[data-draft]")) strike(); else { soon(strike); addEventListener("pagehide", strike); }

// A form is sent once: a second click finds it busy.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter?.formTarget === "_blank") return;
  if (form.dataset.sending) return event.preventDefault();
  form.dataset.sending = "1";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
// An act whose page is this page again, but for what came of it, is answered in place: there is no new page to set up. It is sent once.
// Where no answer comes, or one that is not this page, it says so and stays as it is, to be tried again.
document.addEventListener("submit", async (event) => {
  const form = event.target, { submitter } = event;
  if (event.defaultPrevented || !form.matches("[data-in-place]")) return;
  event.preventDefault();
  // An older confirmation is not this act's; its place stays, so that nothing moves.
  for (const old of $$(".notice.good")) old.className = "notice past";
  const filled = new URLSearchParams(new FormData(form, submitter));
  // The same content has the same key, by which the desk does it once.
  if (!filled.has("key")) {
    const content = String(filled);
    if (form.dataset.content !== content) Object.assign(form.dataset, { content, token: crypto.getRandomValues(new Uint32Array(4)).join("-") });
    filled.set("key", form.dataset.token);
  }
  // Acts outlive their page; words may be longer than such a request may be, and are a draft until they are there.
  const draft = nameOf(form), said = recall(draft);
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: filled, keepalive: !form.dataset.draft }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  sessionStorage.removeItem("sent");
  // What is done leads on, but for a session that has ended. Words that were typed since they were sent stay a draft.
  const done = answer?.redirected && !isOut(answer);
  const strikeWords = () => done && recall(draft) === said && forget(draft);
  strikeWords();
  $("[data-act-failed]")?.remove();
  const page = text && parse(text), main = $("#main"), fresh = page && $("#main", page);
  const of = (place) => place && $("[data-ticket]", place)?.dataset.ticket;
  if (fresh && of(fresh) === of(main)) {
    document.title = page.title;
    if (answer.redirected) history.replaceState(null, "", answer.url);
    const next = document.adoptNode(fresh);
    const left = $$("input, textarea", main).filter((field) => field.id && (field.form !== form || !done));
    main.replaceWith(next);
    // A field that goes while it has the focus has its words kept once more.
    strikeWords();
    for (const work of wires) work(next);
    // Files that were chosen and words in other forms are not the act's: they stay.
    for (const old of left) {
      const now = document.getElementById(old.id);
      if (old.files?.length) now?.replaceWith(old);
      else if (now?.matches(values) && !now.value && old.value !== old.defaultValue) now.value = old.value;
    }
    scrollTo(0, 0);
    settle();
  } else if (answer?.redirected) location.assign(answer.url);
  else {
    delete form.dataset.sending;
    submitter?.removeAttribute("aria-busy");
    const place = $("[data-live-note]"), again = make("button", { type: "button", class: "small" }, place.dataset.again);
    const lines = fresh ? $$("h1, p:not(.over, :has(a))", fresh).map((line) => line.textContent) : problemOf(text);
    if (!lines.length) lines.push(place.dataset.lost);
    const note = make("div", { class: "notice bad", role: "alert", tabindex: "-1", "data-act-failed": "" }, ...lines.map((line) => make("p", {}, line)), again);
    again.addEventListener("click", () => {
      if (form.isConnected) form.requestSubmit(submitter); else location.reload();
      if (form.dataset.sending) again.setAttribute("aria-busy", "true");
    });
    place.before(note);
    note.focus();
  }
});
addEventListener("pageshow", () => $$("form[data-sending]").forEach((form) => { delete form.dataset.sending; $$("[aria-busy]", form).forEach((b) => b.removeAttribute("aria-busy")); }));

// A field that shapes others: the form comes again as it is now, with what was typed meanwhile and the focus where it was.
document.addEventListener("change", async (event) => {
  const form = event.target.closest("[data-act=update]")?.form;
  if (!form?.matches("[data-shaped]")) return;
  const filled = new FormData(form);
  for (const input of $$("input[type=file]", form)) filled.delete(input.name);
  filled.set("update", "1");
  form.setAttribute("aria-busy", "true");
  const answer = await fetch(form.action, { method: "POST", body: filled }).catch(() => null);
  form.removeAttribute("aria-busy");
  const fresh = answer?.ok && $("form[data-shaped]", parse(await answer.text()));
  if (!fresh) return;
  const at = document.activeElement?.id;
  for (const field of $$(values, fresh)) {
    const old = document.getElementById(field.id);
    if (old && (field.tagName !== "SELECT" || $$("option", field).some((option) => option.value === old.value))) field.value = old.value;
  }
  const files = $$("input[type=file]", form);
  form.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const old of files) document.getElementById(old.id)?.replaceWith(old);
  for (const work of wires) work(form);
  restore(form);
  if (at) document.getElementById(at)?.focus({ preventScroll: true });
});

// Articles that may answer a request, as one types: only ever the last question is asked. Where requests are offered on the page, those come first.
for (const form of $$("form[data-suggest]")) {
  let waiting = null, running = null;
  const ask = async () => {
    const place = $("[data-suggestions]", form);
    running?.abort();
    const { signal } = running = new AbortController();
    const text = ["#subject", "#body", "#ask"].map((field) => $(field, form)?.value || "").join(" ").trim();
    if (text.length < 3) { place.hidden = true; return; }
    const answer = await facts(`/help/suggest?q=${encodeURIComponent(text.slice(0, 2000))}`, { signal }) || [];
    if (signal.aborted) return;
    // Without an answer there are the requests of this page, and nothing that was found for other words.
    const found = answer.slice(0, 3), { solved } = place.dataset;
    const offers = solved ? [] : $$("a.card").filter((card) => card.textContent.toLowerCase().includes(text.toLowerCase())).slice(0, 3);
    const items = [...offers.map((card) => make("a", { href: card.href, class: "grow" }, $("strong", card).textContent)),
      ...found.map((one) => make("a", { href: `/help/${one.key}`, class: "grow", ...(solved && { target: "_blank", rel: "noopener" }) }, one.title))];
    $("ul", place).replaceChildren(...items.map((link, n) => make("li", {}, link,
      ...(solved ? [make("button", { class: "small", type: "submit", formaction: `/help/${found[n].key}/solved`, formnovalidate: "", name: "solved", value: "1" }, solved)] : []))));
    place.hidden = items.length === 0;
  };
  form.addEventListener("input", (event) => {
    if (!["subject", "body", "ask"].includes(event.target.id)) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
}

// Files: what is dropped on a ticket, or pasted into an answer, is added to it. The draft is kept over the reload.
if ($("form[data-files]")) {
  const send = async (list) => {
    const files = $("form[data-files]");
    if (!files || !list.length) return;
    const data = new FormData();
    if ($("input[name=internal]", files)?.checked || $("#c-note")?.checked) data.append("internal", "1");
    for (const file of list) data.append("file", file, file.name || "pasted.png");
    files.setAttribute("aria-busy", "true");
    const answer = await fetch(files.action, { method: "POST", body: data }).catch(() => null);
    files.removeAttribute("aria-busy");
    if (answer?.ok) { location.hash = "files"; location.reload(); } else say(files.dataset.failed);
  };
  const has = (event) => [...event.dataTransfer?.types || []].includes("Files");
  document.addEventListener("dragover", (event) => { if (has(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => { if (has(event)) { event.preventDefault(); send(event.dataTransfer.files); } });
  document.addEventListener("paste", (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); send(event.clipboardData.files); } });
}
// In a form that is not sent yet, they are added to those that are chosen.
const chosen = $("input[data-drop]");
if (chosen) {
  const add = (event, list) => {
    if (!list?.length) return;
    event.preventDefault();
    const all = new DataTransfer(), place = $("input[data-drop]");
    for (const file of [...place.files, ...list]) all.items.add(file);
    place.files = all.files;
    say([...all.files].map((file) => file.name).join(", "));
  };
  document.addEventListener("dragover", (event) => { if ([...event.dataTransfer?.types || []].includes("Files")) event.preventDefault(); });
  document.addEventListener("drop", (event) => add(event, event.dataTransfer?.files));
  document.addEventListener("paste", (event) => add(event, event.clipboardData?.files));
}

// The key of a ticket, with its subject at the second press, with its address at the third.
let copies = 0;
function copyKey() {
  const place = $("[data-copy], [data-here] .c-key");
  if (!place) return;
  const key = place.textContent.trim(), subject = place.dataset.subject || $("[data-here] .c-subject")?.textContent.trim() || "";
  const text = [key, `${key} ${subject}`, `${key} ${subject} ${location.origin}/tickets/${key}`][copies % 3];
  copies += 1;
  navigator.clipboard?.writeText(text).then(() => say(text), () => {});
}

// Keys: each element says its own by `data-key`, so that what the overview lists is what works.
const keys = () => $$("[data-key]").filter((element) => element.dataset.key && element.getClientRects().length > 0);
const label = (element) => (element.querySelector?.(":scope > .count") && element.firstChild.textContent || element.getAttribute("aria-label") || (element.labels && element.labels[0]?.textContent) || element.querySelector?.("summary")?.textContent || element.textContent || element.placeholder || "").trim();
const extra = [["Ctrl+K", () => body.dataset.palette, palette]];
/** Adds keys that belong to no element: the key, its words, and what to do. */
function addKey(key, words, act) { extra.push([key, () => words, act]); }
if ($("[data-copy], [data-row]")) addKey(".", body.dataset.copyKey, copyKey);
const off = () => "keysOff" in body.dataset;
// What has a key says it to one who points at it.
wire((page) => soon(() => { if (!off()) for (const e of $$("[data-key]", page)) (e.matches("details") ? e.firstElementChild : e.labels?.[0] || e).title ||= e.dataset.key; }));
const typing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !ticks(element);

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
  const toggle = make("label", { class: "check" }, make("input", { type: "checkbox" }), ` ${body.dataset.singleKeys}`);
  $("input", toggle).checked = !off();
  // The desk keeps it for all browsers of this person.
  $("input", toggle).addEventListener("change", async ({ target }) => {
    body.toggleAttribute("data-keys-off", !target.checked);
    const answer = await fetch("/account/keys", { method: "POST", body: new URLSearchParams({ keys: target.checked ? "on" : "off" }), keepalive: true }).catch(() => null);
    if (!answer?.ok) { target.checked = off(); body.toggleAttribute("data-keys-off", !target.checked); }
  });
  const close = make("button", { type: "button" }, body.dataset.close);
  const box = dialog(body.dataset.keysTitle, "keys", make("h2", {}, body.dataset.keysTitle), list, toggle, close);
  close.addEventListener("click", () => box.close());
}
$$("[data-act=keys]").forEach((button) => button.addEventListener("click", overview));

// The palette: pages, actions of this page, and any ticket by its key. It lies over the page, which stays as it is: to make all of it
// inert would work out the style of each of its elements again.
const OFFERED_MAX = 12;
function palette() {
  if ($("dialog.palette")) return;
  const targets = [
    ...$$(".main-nav a, .views a, .sub-nav a").map((link) => [label(link), link.dataset.key || "", () => link.click()]),
    ...keys().filter((element) => !element.matches(".main-nav a, .views a:not(.button)")).map((element) => [label(element), element.dataset.key, () => act(element)]),
  ].filter(([words]) => words);
  const input = make("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": body.dataset.palette, autocomplete: "off" });
  const list = make("ul", { id: "palette-list", role: "listbox", "aria-label": body.dataset.palette });
  const box = make("dialog", { class: "palette", "aria-label": body.dataset.palette, "aria-modal": "true" }, make("h2", {}, body.dataset.palette), input, list);
  const shut = () => { document.removeEventListener("click", outside, true); box.close(); box.remove(); };
  const outside = (event) => { if (box.contains(event.target)) return; event.preventDefault(); event.stopPropagation(); shut(); };
  let at = 0, offered = [], people = [], running = null;
  // Only the last question is asked: the one before is called off.
  const look = async () => {
    const wanted = input.value.trim();
    running?.abort();
    running = new AbortController();
    people = [];
    if (wanted.length < 2 || !$("a[href='/queue']")) return;
    const { signal } = running, found = await facts(`/find/people?q=${encodeURIComponent(wanted)}`, { signal }) || [];
    if (signal.aborted) return;
    people = found.map((one) => [one.name, "", () => { location.href = one.address; }]);
    draw();
  };
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    offered = [...targets.filter(([words]) => words.toLowerCase().includes(wanted)).slice(0, OFFERED_MAX), ...people];
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
    if (at > 0) list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (n) => { const chosen = offered[n]; shut(); chosen?.[2](); };
  input.addEventListener("input", () => { at = 0; draw(); look(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") at = Math.min(at + 1, offered.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else if (event.key === "Enter") { event.preventDefault(); return choose(at); }
    else if (event.key === "Escape") { event.preventDefault(); return shut(); }
    // The field is all there is to go to by Tab.
    else if (event.key === "Tab") return event.preventDefault();
    else return;
    event.preventDefault();
    draw();
  });
  box.addEventListener("mousedown", (event) => { if (event.target !== input) event.preventDefault(); });
  document.addEventListener("click", outside, true);
  draw();
  body.append(box);
  box.show();
  input.focus({ preventScroll: true });
}

