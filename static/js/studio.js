// What the pages cannot do by markup alone. Without this file everything still works by links and
// forms. Wording stays in the templates; listeners sit on the document, because forms are swapped.
"use strict";
(() => {
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
  const wake = () => { notBefore = 0; if (byId("poller")?.hasAttribute("hx-get")) htmx.trigger("#poller", "studio:wake"); };
  const isConnected = good => {
    if (byId("conn").hidden === good) return;
    show("conn", !good);
    say(good ? "Connected again." : byId("conn").textContent);
  };
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
    } else if (elt.id === "composer") {
      show("not-sent");
      byId("not-sent").focus();
    } else if (elt.matches("[data-viewer]")) {
      location.assign(elt.href);
    } else if (elt.id !== "composer-options") {
      show("not-done");
      say(byId("not-done").textContent);
      setTimeout(() => show("not-done", false), 8000);
    }
  };
  on("htmx:sendError htmx:timeout", failed);
  on("htmx:afterRequest", event => {
    const { xhr } = event.detail;
    // A refusal that brings its own words is an answer, not a failure.
    if (xhr.status >= 400 && (isPoll(event) || !/id="(composer|gen-)/.test(xhr.response))) failed(event);
  });
  on("htmx:beforeOnLoad", event => {
    if (!isPoll(event) || event.detail.xhr.status >= 300) return;
    fails = notBefore = 0;
    isConnected(true);
  });
  // Cards that this page does not show would be errors to htmx.
  on("htmx:beforeSwap", event => {
    if (!isPoll(event) || !event.detail.serverResponse) return;
    const answer = document.createElement("template");
    answer.innerHTML = event.detail.serverResponse;
    for (const card of answer.content.querySelectorAll("li[id^=gen-]")) if (!byId(card.id)) card.remove();
    event.detail.serverResponse = answer.innerHTML;
  });
  const seen = () => { if (!document.hidden && document.title.startsWith("✓")) document.title = title; };
  on("visibilitychange", () => { seen(); if (!document.hidden) wake(); });
  on("htmx:afterSettle", seen);
  addEventListener("online", wake);

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

  // --- The composer: counter, draft, keys.
  const composer = () => byId("composer")?.dataset.draft ? byId("composer") : null;
  const OPTIONS = ["style", "aspect_ratio", "resolution", "num_variants"];
  const count = () => {
    const prompt = byId("prompt"), left = prompt.maxLength - prompt.value.length;
    byId("prompt-count").textContent = `${prompt.value.length} / ${prompt.maxLength}`;
    if (left < 200 && left % 50 === 0) say(`${left} characters left`);
  };
  const keep = () => {
    const form = composer();
    if (form) sessionStorage.setItem(`draft:${form.dataset.draft}`, JSON.stringify(Object.fromEntries(["prompt", ...OPTIONS].map(name => [name, form.elements[name]?.value]))));
  };
  const restore = () => {
    const form = composer(), draft = form && JSON.parse(sessionStorage.getItem(`draft:${form.dataset.draft}`) ?? "null");
    if (!draft) return;
    form.elements.prompt.value = draft.prompt ?? "";
    for (const name of OPTIONS) {
      const choice = [...form.querySelectorAll(`input[name=${name}]`)].find(input => input.value === draft[name] && !input.disabled);
      if (choice && !choice.checked) { choice.checked = true; choice.dispatchEvent(new Event("change", { bubbles: true })); }
    }
    count();
  };
  on("input", event => { if (event.target.id === "prompt") count(); if (event.target.form === composer()) keep(); });
  on("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form && event.target.form === composer()) {
      event.preventDefault();
      if (!byId("generate").disabled) event.target.form.requestSubmit();
    }
  });
  on("htmx:afterOnLoad", event => {
    if (event.detail.elt.id !== "composer" || event.detail.xhr.status !== 202) return;
    for (const old of composer().querySelectorAll("#error-summary, .err")) old.remove();
    for (const field of composer().querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  });
  on("htmx:configRequest", event => {
    // The page may be older than the session: signed in again in another tab, the cookie is newer.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
    if (!token) return;
    event.detail.headers["X-CSRFToken"] = token;
    if (event.detail.verb !== "get" && event.detail.parameters.csrfmiddlewaretoken) event.detail.parameters.csrfmiddlewaretoken = token;
    if (event.detail.elt.id !== "composer") return;
    show("not-sent", false);
    byId("composer-notice").replaceChildren();
  });

  // --- The viewer: the same link opens a page where this file is missing.
  let opener = null;
  on("htmx:afterSwap", event => {
    const viewer = byId("viewer");
    if (event.detail.target?.id !== "viewer-body") return;
    if (!viewer.open) { opener = event.detail.requestConfig?.elt?.id; viewer.showModal(); }
    viewer.querySelector(".look-side .primary")?.focus();
  });
  on("keydown", event => {
    const viewer = byId("viewer");
    if (!viewer?.open || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    viewer.querySelector(`[data-key="${CSS.escape(event.key.length === 1 ? event.key.toLowerCase() : event.key)}"]`)?.click();
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
    const keys = byId("submit-keys"), form = composer(), viewer = byId("viewer");
    if (keys && /Mac|iP(hone|ad)/.test(navigator.platform)) keys.textContent = "⌘ ↵";
    viewer?.addEventListener("close", () => { byId("viewer-body").replaceChildren(); (opener && byId(opener))?.focus(); });
    if (!form) return;
    // What the address or an error filled in wins over the draft, and becomes it.
    const url = new URL(location), isDrafted = url.searchParams.has("job") && !url.searchParams.has("reuse");
    if (isDrafted || !("prefilled" in form.dataset)) return restore();
    keep();
    for (const name of ["reuse", "prompt_only", "prompt_id"]) url.searchParams.delete(name);
    if (url.href !== location.href) { history.replaceState(null, "", url); byId("prompt").focus(); }
  });
})();
