// What the pages cannot do by markup alone. Without this file everything still works by links and
// forms. Wording stays in the templates; listeners sit on the document, because forms are swapped.
"use strict";
const studio = (() => {
  const byId = id => document.getElementById(id);
  const on = (names, act) => names.split(" ").forEach(name => document.addEventListener(name, act));
  const show = (id, shown = true) => { const element = byId(id); if (element) element.hidden = !shown; };
  const say = text => { byId("announce").textContent = text; };
  const title = document.title;

  // --- Polling: every interval while visible, every HIDDEN_MS while hidden, backing off on failure.
  // The markup decides whether there is anything to poll for.
  const HIDDEN_MS = 30000, BACKOFF_MS = 4000, BACKOFF_MAX_MS = 60000;
  let fails = 0, notBefore = 0, stopped = false, polledAt = Date.now();
  const isPoll = event => event.detail.elt?.id === "poller";
  const wake = () => {
    notBefore = 0;
    if (byId("poller")?.hasAttribute("hx-get")) htmx.trigger("#poller", "studio:wake");
    ask();
  };
  const isConnected = good => {
    if (byId("conn").hidden === good) return;
    show("conn", !good);
    say(good ? "Connected again." : byId("conn").textContent);
  };
  // An answer that was lost may have changed something: also an idle page asks a few times what.
  let owed = 0, asking;
  const ask = () => {
    clearTimeout(asking);
    const poller = byId("poller");
    if (!owed || stopped || !poller) return;
    if (!poller.hasAttribute("hx-get") && Date.now() >= notBefore) htmx.ajax("GET", poller.dataset.url, { source: poller, swap: "none" }).catch(() => {});
    asking = setTimeout(ask, BACKOFF_MS);
  };
  const owe = times => { owed = Math.max(owed, times); ask(); };
  on("htmx:beforeRequest", event => {
    if (!isPoll(event)) return;
    const isTooSoon = document.hidden && Date.now() - polledAt < HIDDEN_MS;
    if (stopped || isTooSoon || Date.now() < notBefore) return event.preventDefault();
    polledAt = Date.now();
    // A poller that was replaced meanwhile would find none of its targets; the new one asks again.
    event.target.addEventListener("htmx:beforeOnLoad", answer => { if (!answer.target.isConnected) answer.preventDefault(); }, { once: true });
  });
  const failed = event => {
    const { elt, xhr } = event.detail;
    if (xhr?.status === 401) return signedOut();
    if (isPoll(event)) {
      if (xhr?.status === 403) stopped = true;
      notBefore = Date.now() + Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** ++fails) * (.8 + Math.random() * .4);
      isConnected(false);
    } else if (elt.matches("#composer, #composer-options")) {
      return; // composer.js
    } else if (!(xhr?.status >= 400)) {
      isConnected(false);
      owe(1);
    } else if (elt.matches("[data-viewer]")) {
      location.assign(elt.href);
    } else {
      show("not-done");
      say(byId("not-done").textContent);
      setTimeout(() => show("not-done", false), 8000);
    }
  };
  on("htmx:sendError htmx:timeout", failed);
  // A refusal that brings its own words is an answer, not a failure.
  const isWordless = event => event.detail.xhr.status >= 400 && (isPoll(event) || !/id="(composer|gen-|start-frame)/.test(event.detail.xhr.response));
  on("htmx:afterRequest", event => {
    if (isWordless(event)) failed(event);
    else if (event.detail.xhr.status && !fails) isConnected(true);
  });
  on("htmx:beforeOnLoad", event => {
    if (!isPoll(event) || event.detail.xhr.status >= 300) return;
    fails = notBefore = 0;
    owed = Math.max(0, owed - 1);
    isConnected(true);
  });

  // --- What a poll brings. A card that this list would show after a reload comes to its place; one
  // that it would not show leaves; any other would be an error to htmx.
  const STATES = { "in-progress": ".queued, .processing", completed: ".completed", failed: ".failed, .cancelled" };
  const at = card => Number(card.dataset.at);
  on("htmx:beforeSwap", event => {
    if (!isPoll(event) || !event.detail.serverResponse) return;
    const answer = document.createElement("template"), grid = byId("grid"), list = grid?.dataset.list;
    answer.innerHTML = event.detail.serverResponse;
    const shown = grid ? [...grid.querySelectorAll("li[data-at]")] : [];
    const oldest = byId("load-more") ? Math.min(...shown.map(at)) : -Infinity;
    for (const card of answer.content.querySelectorAll("li[id^=gen-]")) {
      const known = byId(card.id), isRemoved = card.matches(".removed");
      const fits = !STATES[list] || card.matches(STATES[list]);
      if (known && (fits || isRemoved)) continue;
      if (known) {
        if (known.contains(document.activeElement)) byId("results").focus({ preventScroll: true });
        known.remove();
      } else if (grid && list !== "older" && fits && !isRemoved && at(card) > oldest) {
        const place = document.createElement("li");
        place.id = card.id;
        place.dataset.at = card.dataset.at;
        grid.insertBefore(place, [...grid.querySelectorAll("li[data-at]")].find(one => at(one) < at(card)) ?? byId("load-more"));
        continue;
      }
      card.remove();
    }
    event.detail.serverResponse = answer.innerHTML;
  });

  // Every answer to a press begins the poller's interval anew: many in a row must not put it off.
  on("htmx:afterRequest", event => {
    if (isPoll(event)) polledAt = Date.now();
    else if (Date.now() - polledAt > BACKOFF_MS && byId("poller")?.hasAttribute("hx-get") && !fails && !document.hidden) wake();
  });

  const seen = () => { if (!document.hidden && document.title.startsWith("✓")) document.title = title; };
  on("visibilitychange", () => { seen(); if (!document.hidden) wake(); });
  on("htmx:afterSettle", seen);
  addEventListener("online", () => { if (!fails) isConnected(true); wake(); });

  function signedOut() {
    stopped = true;
    const here = location.pathname + location.search;
    const link = byId("signed-out").querySelector("a");
    link.href = `${link.pathname}?next=${encodeURIComponent(here)}`;
    show("signed-out");
    say(byId("signed-out").textContent);
  }

  // --- Cards swapped in place: no twin of a card, focus stays, pictures seen before do not bloom.
  let held = null;
  on("htmx:oobBeforeSwap", event => {
    const { target, fragment } = event.detail;
    if (target.id === "grid") for (const card of fragment.querySelectorAll("li[id]")) byId(card.id)?.remove();
    if (!target.id.startsWith("gen-")) return;
    if (target.contains(document.activeElement)) held = { card: target.id, control: document.activeElement.id };
    const fresh = fragment.querySelector("li");
    if (target.classList.contains("processing")) fresh?.classList.add("fresh");
    for (const frame of target.querySelectorAll("a.frame")) fragment.querySelector(`[id="${frame.id}"]`)?.classList.add("seen");
  });
  on("htmx:oobAfterSwap", () => {
    if (!held || document.activeElement !== document.body) return;
    const control = (held.control && byId(held.control)) || byId(held.card)?.querySelector("a, button, summary");
    control?.focus({ preventScroll: true });
    held = null;
  });

  // --- The clock of running cards: the server says how long it has been, we add what passes here.
  const startedAt = new WeakMap();
  const tick = () => {
    if (document.hidden) return;
    for (const wait of document.querySelectorAll("[data-elapsed]")) {
      if (!startedAt.has(wait)) startedAt.set(wait, Date.now() - 1000 * wait.dataset.elapsed);
      const elapsed = Math.floor((Date.now() - startedAt.get(wait)) / 1000), expected = Number(wait.dataset.expected);
      const clock = wait.querySelector(".clock"), bar = wait.parentElement.querySelector("progress");
      if (clock) clock.textContent = `${Math.floor(elapsed / 60)}:${String(elapsed % 60).padStart(2, "0")}`;
      if (bar) bar.value = Math.min(95, 100 * elapsed / Math.max(1, expected));
      wait.querySelector(".usually").hidden = elapsed > 2 * expected;
      wait.querySelector(".overdue").hidden = elapsed <= 2 * expected;
    }
  };
  setInterval(tick, 1000);

  on("htmx:configRequest", event => {
    // The page may be older than the session: signed in again in another tab, the cookie is newer.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
    if (!token) return;
    event.detail.headers["X-CSRFToken"] = token;
    if (event.detail.verb !== "get" && event.detail.parameters.csrfmiddlewaretoken) event.detail.parameters.csrfmiddlewaretoken = token;
  });

  // --- Load more: on to the first of the new cards.
  let last = null;
  on("htmx:beforeSwap", event => { if (event.detail.target?.id === "load-more") last = event.detail.target.previousElementSibling; });
  on("htmx:afterSwap", () => {
    const first = last?.nextElementSibling;
    last = null;
    if (!first) return;
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
    say("More results are shown.");
  });

  // --- The viewer: the same link opens a page where this file is missing.
  let opener = null;
  on("htmx:afterSwap", event => {
    const viewer = byId("viewer");
    if (event.detail.target?.id !== "viewer-body") return;
    if (!viewer.open) {
      opener = event.detail.requestConfig?.elt?.id;
      viewer.showModal();
      history.pushState({ viewer: true }, ""); // a phone's Back closes it
    }
    viewer.querySelector(".look-side .primary")?.focus();
  });
  on("keydown", event => {
    const viewer = byId("viewer");
    if (!viewer?.open || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    viewer.querySelector(`[data-key="${CSS.escape(event.key.length === 1 ? event.key.toLowerCase() : event.key)}"]`)?.click();
  });
  addEventListener("popstate", () => { if (byId("viewer")?.open && !history.state?.viewer) byId("viewer").close(); });
  let touch = null;
  on("touchstart", event => {
    const isAlone = event.touches.length === 1 && (window.visualViewport?.scale ?? 1) === 1;
    touch = isAlone && event.target.closest?.("#viewer .look-stage") ? event.touches[0] : null;
  });
  on("touchend", event => {
    if (!touch) return;
    const { clientX, clientY } = event.changedTouches[0], x = clientX - touch.clientX, y = clientY - touch.clientY;
    touch = null;
    if (Math.abs(x) > 48 && Math.abs(x) > 2 * Math.abs(y)) byId("viewer").querySelector(x < 0 ? ".step.next" : ".step.previous")?.click();
  });
  on("click", event => {
    if (event.target === byId("viewer")) byId("viewer").close();
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  on("keydown", event => {
    const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // --- Copy a prompt.
  on("click", async event => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const label = button.querySelector("span"), was = label.textContent;
    try { await navigator.clipboard.writeText(byId(button.dataset.copy).textContent); label.textContent = "Copied"; say("Prompt copied."); }
    catch { label.textContent = "Not allowed here"; }
    setTimeout(() => { label.textContent = was; }, 1600);
  });

  // --- The theme, without a reload.
  on("submit", event => {
    if (event.target.id !== "theme" || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    document.cookie = `theme=${chosen}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    if (chosen) document.documentElement.dataset.theme = chosen; else delete document.documentElement.dataset.theme;
    for (const button of event.target.querySelectorAll("button")) button.ariaPressed = String(button === event.submitter);
  });

  on("DOMContentLoaded", () => {
    const viewer = byId("viewer");
    if (history.state?.viewer) history.replaceState(null, "");
    viewer?.addEventListener("close", () => {
      byId("viewer-body").replaceChildren();
      (opener && byId(opener))?.focus();
      if (history.state?.viewer) history.back();
    });
  });

  return { byId, on, show, say, owe, isWordless };
})();
