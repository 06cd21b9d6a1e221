// The console's own, served behind `desk.js` as one script.

// What others do: one stream for all tabs of this browser, which the tab that has the lock passes on.
function live(heard) {
  const channel = new BroadcastChannel("ruledesk-live");
  channel.onmessage = (event) => heard(event.data);
  const stream = () => new Promise((release) => {
    const source = new EventSource("/live");
    const pass = (event) => {
      const change = { kind: event.type, ...JSON.parse(event.data) };
      heard(change);
      channel.postMessage(change);
    };
    source.addEventListener("ticket", pass);
    source.addEventListener("reset", pass);
    addEventListener("pagehide", () => { source.close(); channel.close(); release(); }, { once: true });
  });
  if (navigator.locks) navigator.locks.request("ruledesk-live", stream).catch(() => {}); else stream();
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const queue = $("[data-queue]");
// The page has the words of its list.
const words = queue?.dataset;
// The choices for an act that could not be done, since the session had ended or no page came: they are chosen again when one is back.
const held = `bulk:${person}`;
const hold = (rows, filled) => sessionStorage.setItem(held, JSON.stringify([words.address, rows.map((row) => row.split(":")[0]), [...filled].filter(([name]) => name !== "ticket")]));
if ($("[data-come]")) sessionStorage.removeItem(held);
// Who comes back to a place in it finds that at once: the browser knows that there was one without being asked what.
const back = history.state === "place";
if (queue) (back ? (work) => work() : soon)(() => {
  const rows = () => $$("tr[data-row]", queue);
  // A long list is put up part by part, each in a picture of its own; who goes to a row that is not there yet has all of them at once.
  const parts = $$(".long .lines tbody");
  const show = () => { parts.shift()?.classList.add("shown"); if (!parts.length) body.classList.remove("long"); };
  const next = () => { if (parts.length) { show(); later(next); } };
  later(next);
  let at = -1, anchor = -1;
  const place = `row:${location.pathname}${location.search}`;
  const here = (n, focus = true) => {
    const all = rows();
    if (!all.length) return;
    at = Math.max(0, Math.min(n, all.length - 1));
    while (parts.some((part) => part.contains(all[at]))) show();
    for (const row of $$("[data-here]", queue)) row.removeAttribute("data-here");
    all[at].setAttribute("data-here", "");
    if (focus) $(".c-subject a", all[at]).focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
    sessionStorage.setItem(place, all[at].dataset.row);
    if (!history.state) history.replaceState("place", "");
  };
  const box = (row) => $("input[type=checkbox]", row);
  const select = (from, to) => rows().forEach((row, n) => { box(row).checked = n >= Math.min(from, to) && n <= Math.max(from, to); });
  const told = () => {
    const chosen = rows().filter((row) => box(row).checked).length;
    const place = $("[data-selected]", queue), text = words.chosen.replace("{0}", chosen);
    if (place) place.textContent = text;
    say(text);
  };
  const move = (by, event) => {
    if (event.shiftKey) {
      if (anchor < 0) anchor = Math.max(at, 0);
      here(at + by);
      select(anchor, at);
      return told();
    }
    anchor = -1;
    here(at + by);
  };
  addKey("j", words.down, (event) => move(1, event));
  addKey("k", words.up, (event) => move(-1, event));
  addKey("J", words.down, (event) => move(1, event));
  addKey("K", words.up, (event) => move(-1, event));
  addKey("ArrowDown", words.down, (event) => move(1, event));
  addKey("ArrowUp", words.up, (event) => move(-1, event));
  addKey("x", words.pick, () => { const row = rows()[Math.max(at, 0)]; if (row) { if (at < 0) here(0); box(row).checked = !box(row).checked; anchor = at; told(); } });
  addKey("Enter", words.open, () => { const row = rows()[Math.max(at, 0)]; if (row) $(".c-subject a", row).click(); });
  addKey("r", words.reply, () => { const row = rows()[Math.max(at, 0)]; if (row) location.href = `${$(".c-subject a", row).href}#reply-body`; });
  queue.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-row]");
    if (!row || !event.target.matches("input[type=checkbox]")) return;
    const n = rows().indexOf(row);
    if (event.shiftKey && anchor >= 0) select(anchor, n); else anchor = n;
    here(n, false);
    told();
  });
  queue.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-row]");
    if (row && rows().indexOf(row) !== at) here(rows().indexOf(row), false);
  });
  const left = sessionStorage.getItem(place), last = left === null ? -1 : rows().findIndex((row) => row.dataset.row === left);
  if (last >= 0) here(last, back);
  const [address, picked, filled] = JSON.parse(sessionStorage.getItem(held) || "[]");
  if (address === words.address) {
    sessionStorage.removeItem(held);
    for (const row of rows()) box(row).checked = picked.includes(row.dataset.row);
    for (const [name, text] of filled) {
      const field = $(`.bulk-bar :is(input, select)[name="${name}"]`);
      if (!field) continue;
      field.value = text;
      if (field.selectedIndex < 0) field.selectedIndex = 0;
    }
    told();
  }
  // Acts of the bar, asked for by a key, are for the row one is at where none is chosen.
  for (const key of ["a", "s", "t", "i", "m", "d"]) addKey(key, $(`.bulk-bar [data-key="${key}"]`)?.labels?.[0]?.textContent || $(`.bulk-bar [data-key="${key}"]`)?.textContent || key, () => {
    if (!rows().some((row) => box(row).checked)) { if (at < 0) here(0); const row = rows()[at]; if (row) box(row).checked = true; told(); }
    const control = $(`.bulk-bar [data-key="${key}"]`);
    if (control?.matches("button")) control.click(); else control?.focus();
  });

  // Counts come after the list, and never keep it waiting.
  later(async () => {
    const counts = await facts("/queue/counts") || {};
    for (const link of $$("[data-count]", queue)) {
      const count = counts[link.dataset.count], place = $(".count", link);
      if (count === undefined || !place) continue;
      place.textContent = count;
    }
  });

  const fresh = $("[data-fresh]", queue);
  fresh?.addEventListener("click", () => location.reload());

  // What others do: rows that changed are swapped in place, new ones wait behind a button, nothing jumps.
  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(queue.dataset.address, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const there = $$("tr[data-row]", parse(await answer.text()));
    const known = new Map(rows().map((row) => [row.dataset.row, row]));
    let news = 0;
    for (const row of there) {
      const old = known.get(row.dataset.row);
      if (!old) { news += 1; continue; }
      if (old.dataset.version === row.dataset.version || old.contains(document.activeElement) || box(old).checked || old.matches(":hover")) continue;
      old.replaceWith(document.importNode(row, true));
    }
    if (!fresh) return;
    const text = words.news.replace("{0}", news);
    // Readers of screens hear of it once, where they are.
    if (news > 0 && fresh.textContent !== text) say(text);
    fresh.hidden = news === 0;
    fresh.textContent = text;
  };
  let waiting = null;
  later(() => live(() => { waiting ??= setTimeout(() => { waiting = null; look(); }, 1000); }));
  setInterval(look, 60000);
});

// An act on many tickets goes in parts, so that one sees how far it has come. A part whose answer is lost goes again under the same key,
// by which the desk changes each of its tickets once.
const PART_MAX = 5;
// Enter in a field does the act that stands next to it. In the reason it does nothing: the first button of the form is off.
$("#bulk")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches(".pair input, .pair select")) return;
  event.preventDefault();
  $("button", event.target.closest(".pair")).click();
});
$("#bulk")?.addEventListener("submit", (event) => {
  const form = event.target, { submitter } = event, filled = new FormData(form, submitter), chosen = filled.getAll("ticket");
  if (form.dataset.sending) return;
  if (chosen.length <= PART_MAX) return hold(chosen, filled);
  event.preventDefault();
  filled.set("key", crypto.getRandomValues(new Uint32Array(4)).join("-"));
  const name = submitter?.textContent || "", list = make("ul", { class: "rows" }), end = make("div"), title = make("h2", { tabindex: "-1" }, name);
  let come = make("progress", { max: chosen.length, value: 0, "aria-label": name }), at = 0, runs = false;
  const box = make("dialog", { "aria-label": name }, title, come, list, end);
  const send = async () => {
    runs = true;
    end.replaceChildren();
    while (runs) {
      const part = chosen.slice(at, at + PART_MAX), body = new URLSearchParams(filled);
      body.delete("ticket");
      for (const ticket of part) body.append("ticket", ticket);
      for (const [field, value] of Object.entries({ at, of: chosen.length, good: 0, bad: 0, ...come.dataset })) if (field !== "come") body.set(field, value);
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body }).catch(() => null);
      const text = await answer?.text().catch(() => null), page = text && parse(text), fresh = page && $("[data-come]", page);
      if (!fresh) {
        // The way on: to sign in and come back to what is left to do, or to try again.
        const out = isOut(answer), lines = out ? [words.out] : problemOf(text);
        const on = out ? make("a", { class: "button", href: `/sign-in?next=${encodeURIComponent(words.address)}` }, words.signIn) : make("button", { type: "button", class: "small" }, words.again);
        if (out) hold(chosen.slice(at), filled); else on.addEventListener("click", send);
        end.replaceChildren(make("div", { class: "notice bad", role: "alert" }, ...(lines.length ? lines : [words.lost]).map((line) => make("p", {}, line)), on));
        on.focus();
        runs = false;
        return;
      }
      come.replaceWith(come = document.adoptNode(fresh));
      // What was not done stands above what was.
      for (const line of $$(".rows li", page)) list.insertBefore(document.adoptNode(line), $(".bad-text", line) && $(".good-text", list)?.closest("li") || null);
      at += part.length;
      runs = at < chosen.length;
      if (runs) continue;
      end.replaceChildren(document.adoptNode($("a[data-key=Escape]", page)));
      end.firstChild.focus();
    }
  };
  box.addEventListener("cancel", (event) => { if (runs) event.preventDefault(); });
  box.addEventListener("close", () => location.assign(queue.dataset.address));
  addEventListener("beforeunload", (event) => { if (runs) event.preventDefault(); });
  $("#main").append(box);
  box.showModal();
  title.focus();
  send();
});

// A ticket that somebody else changes says so; nothing is swapped under the reader's hands.
const ticket = $("[data-ticket][data-version]")?.dataset.ticket;
if (ticket && $("[data-live-note]")) {
  const look = async () => {
    if (document.hidden || !$("[data-live-note]")?.hidden) return;
    const now = await facts(`/tickets/${ticket}/version`);
    if (!now) return;
    // An act may have been answered in place meanwhile.
    const note = $("[data-live-note]");
    if (!note || String(now.version) === $("[data-ticket]").dataset.version) return;
    const { changed } = note.dataset;
    $("p", note).textContent = now.by ? `${changed} ${now.by}` : changed;
    note.hidden = false;
    say(changed);
  };
  live((change) => { if (change.kind === "reset" || change.ticket === ticket) look(); });
  setInterval(look, 60000);
  if (location.hash === "#reply-body") $("#reply-body")?.focus();
}

// While one types an answer: `::` for a canned reply, `??` for an article, `@` for a person. Escape leaves the text as it is.
wire((page) => { for (const field of $$("textarea[data-picks]", page)) {
  const list = make("ul", { class: "picks", role: "listbox", id: `${field.id}-picks`, "aria-label": field.labels[0]?.textContent.trim() || field.id, hidden: "" });
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.after(list);
  const named = [];
  let offered = [], at = 0, from = 0, running = null;
  const close = () => { running?.abort(); list.hidden = true; offered = []; field.removeAttribute("aria-activedescendant"); };
  const draw = () => {
    list.replaceChildren(...offered.map(([name], n) => {
      const item = make("li", { role: "option", id: `${field.id}-pick-${n}`, "aria-selected": String(n === at) }, name);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(n); });
      return item;
    }));
    list.hidden = offered.length === 0;
    if (offered.length) field.setAttribute("aria-activedescendant", `${field.id}-pick-${at}`);
  };
  const choose = (n) => {
    const text = offered[n][1];
    if (text.startsWith("@")) named.push(text);
    field.setRangeText(text, from, field.selectionStart, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const canned = () => $$("[data-insert]").map((link) => [link.textContent.trim(), link.dataset.insert]);
  const asked = async (address) => {
    const { signal } = running = new AbortController();
    const found = await facts(address, { signal });
    return signal.aborted ? null : found || [];
  };
  // A person is named by the id, by which the desk knows who is to hear of it: those of the team at once, all others by their names.
  const people = async (words) => {
    const team = $$("#edit-assignee option").filter((option) => option.value).map((option) => [option.textContent.trim(), `@${option.value} `]);
    const near = team.filter(([name]) => name.toLowerCase().includes(words));
    const all = near.length || words.length < 2 ? [] : await asked(`/find/people?q=${encodeURIComponent(words)}`);
    return all && [...near, ...all.map((one) => [one.name, `@${one.id} `])];
  };
  const articles = async (words) => {
    const found = await asked(`/help/suggest?q=${encodeURIComponent(words)}`);
    return found?.map((one) => [`${one.key} ${one.title}`, `${one.title} (${location.origin}/help/${one.key})`]);
  };
  field.addEventListener("input", async () => {
    running?.abort();
    const before = field.value.slice(0, field.selectionStart);
    const found = before.match(/(?:^|\s)(::|\?\?|@)([^\n@:?]{0,30})$/);
    // What was taken in is not looked for again.
    if (!found || named.some((text) => (found[1] + found[2]).startsWith(text))) return close();
    const words = found[2].toLowerCase();
    from = before.length - found[1].length - found[2].length;
    const all = found[1] === "::" ? canned().filter(([name]) => name.toLowerCase().includes(words)) : found[1] === "@" ? await people(words) : words.length > 2 ? await articles(found[2]) : [];
    // A later question has been asked meanwhile.
    if (!all) return;
    offered = all.slice(0, 8);
    at = 0;
    draw();
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") at = Math.min(at + 1, offered.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); return choose(at); }
    else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); return close(); }
    else return;
    event.preventDefault();
    draw();
  });
  field.addEventListener("blur", close);
} });
// A canned reply is put in at the caret; without scripts its link begins the answer with it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-insert]"), field = $("#reply-body");
  if (!link || !field) return;
  event.preventDefault();
  field.setRangeText(link.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// Who else is at this ticket: each browser says every ten seconds how its reader is there.
if (ticket && $("[data-presence]")) {
  const address = `/tickets/${ticket}/presence`;
  let typed = -60000, heard = "";
  const doing = () => performance.now() - typed < 15000 ? "types" : "looks";
  const tell = async () => {
    if (document.hidden) return;
    const present = await facts(address, { method: "POST", body: new URLSearchParams({ doing: doing() }) }), at = $("[data-presence]");
    if (!present || !at) return;
    const text = present.map((one) => at.dataset[one.doing].replace("{0}", one.name)).join(" · ");
    if (text === heard) return;
    heard = text;
    at.textContent = text;
    at.hidden = !text;
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches(".pane textarea")) return;
    const before = doing();
    typed = performance.now();
    if (before !== "types") tell();
  });
  addEventListener("pagehide", () => navigator.sendBeacon(address, new URLSearchParams({ doing: "left" })));
  document.addEventListener("visibilitychange", () => { if (document.hidden) navigator.sendBeacon(address, new URLSearchParams({ doing: "left" })); else tell(); });
  wire(() => { heard = ""; tell(); });
  setInterval(tell, 10000);
}

// Where a team has more people than a list may name, they are looked for as one types.
wire((page) => { for (const field of $$("input[data-people]", page)) {
  let running = null;
  field.addEventListener("input", async () => {
    running?.abort();
    running = new AbortController();
    const found = await facts(`/find/people?q=${encodeURIComponent(field.value)}`, { signal: running.signal });
    if (found) field.list.replaceChildren(...found.map((one) => make("option", { value: one.id }, one.name)));
  });
} });

// A screen on the wall is up to date by itself.
const wall = $("[data-reload]");
if (wall) setInterval(() => { if (!document.hidden) location.reload(); }, Number(wall.dataset.reload) * 1000);

// A failure in words: a problem of the desk by its title, the answer of a proxy as it is.
const titleOf = (text) => { try { return JSON.parse(text).title; } catch { return text.slice(0, 200); } };
// A decision table shows beside it what a change would have done, as soon as one stops typing.
const table = $("form[data-beside]");
if (table) {
  let waiting = null, running = null;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    const place = $("#beside"), filled = new URLSearchParams(new FormData(table));
    filled.set("do", "try");
    for (const form of $$("form[data-preview]")) for (const [name, text] of new FormData(form)) if (typeof text === "string") filled.append(name, text);
    place.setAttribute("aria-busy", "true");
    const answer = await fetch(table.action, { method: "POST", body: filled, signal: running.signal }).catch(() => null);
    if (!answer) return;
    const text = await answer.text(), page = parse(text), found = $("#beside", page);
    const focus = place.contains(document.activeElement) ? document.activeElement.id : "";
    // What failed leaves no older result.
    place.replaceChildren(...found ? document.importNode(found, true).childNodes : [$("h2", place), page.title || titleOf(text)]);
    place.removeAttribute("aria-busy");
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  };
  $("#beside").addEventListener("change", ask);
  // A problem's line is shown and selected in the draft.
  $("#beside").addEventListener("click", (event) => {
    const line = Number(event.target.dataset.line), field = $("#content");
    if (!line || !field) return;
    event.preventDefault();
    const lines = field.value.split("\n"), from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field.focus();
    field.setSelectionRange(from, from + (lines[line - 1] || "").length);
  });
  table.addEventListener("input", (event) => {
    if (!["cell", "content", "ticket"].includes(event.target.name)) return;
    if (event.target.name === "cell") event.target.classList.toggle("changed", event.target.value !== event.target.defaultValue);
    clearTimeout(waiting);
    waiting = setTimeout(ask, 500);
  });
}
