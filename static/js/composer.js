// The composer: one press is one job, the price shown is the price paid, the prompt is never lost.
"use strict";
(() => {
  const { byId, on, show, say, owe, isWordless } = studio;
  const composer = () => byId("composer")?.dataset.draft ? byId("composer") : null;
  const isPress = event => event.detail.elt.id === "composer";
  const isQuote = event => event.detail.elt.id === "composer-options";

  // --- After a press that was accepted the button rests: the second tap of a double tap is no order.
  const REST_MS = 1200;
  const isResting = () => byId("generate").getAttribute("aria-disabled") === "true";
  document.addEventListener("submit", event => {
    if (event.target !== composer() || !isResting()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  on("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form && event.target.form === composer()) {
      event.preventDefault();
      if (!byId("generate").disabled) event.target.form.requestSubmit();
    }
  });
  on("htmx:afterOnLoad", event => {
    if (!isPress(event) || event.detail.xhr.status !== 202) return;
    for (const old of composer().querySelectorAll("#error-summary, .err")) old.remove();
    for (const field of composer().querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const button = byId("generate");
    button.setAttribute("aria-disabled", "true");
    setTimeout(() => button.removeAttribute("aria-disabled"), REST_MS);
  });

  // --- A press without an answer. Only what proves it may say that nothing was ordered.
  let lost = "";
  const tell = id => { show(id); byId(id).focus(); };
  const noAnswer = () => {
    lost = byId("submission-key").value;
    tell("no-answer");
    owe(5);
  };
  on("htmx:configRequest", event => {
    if (!isPress(event)) return;
    show("not-sent", false);
    show("no-answer", false);
    byId("composer-notice").replaceChildren();
  });
  on("htmx:beforeRequest", event => {
    if (!isPress(event) || navigator.onLine) return;
    event.preventDefault();
    tell("not-sent");
  });
  on("htmx:sendError htmx:timeout", event => { if (isPress(event)) noAnswer(); });
  on("htmx:afterRequest", event => {
    if (!isPress(event) || !isWordless(event) || event.detail.xhr.status === 401) return;
    if (event.detail.xhr.status >= 500) noAnswer(); else tell("not-sent");
  });
  on("htmx:oobAfterSwap", () => {
    if (!lost || byId("submission-key")?.value !== lost || !document.querySelector(`li[data-press="${CSS.escape(lost)}"]`)) return;
    // A poll brought what the lost press ordered: the next press is another one.
    if (crypto.randomUUID) byId("submission-key").value = crypto.randomUUID();
    lost = "";
    if (byId("no-answer").contains(document.activeElement)) byId("generate").focus({ preventScroll: true });
    show("no-answer", false);
    say("It was ordered: the job is in the results.");
  });

  // --- The price: never shown as valid while it may be another.
  const RETRY_MS = 4000;
  const quote = () => { if (byId("cost")?.ariaBusy === "true") htmx.trigger("#composer-options", "studio:price"); };
  const stale = () => {
    byId("cost").ariaBusy = byId("cost-note").ariaBusy = "true";
    byId("cost-figure").textContent = "updating…";
  };
  const retry = event => {
    // Stale since the change that asked, unless the answer to a press has brought the price since.
    if (isQuote(event)) setTimeout(quote, RETRY_MS);
  };
  on("change", event => { if (event.target.closest?.("#composer [data-prices]")) stale(); });
  on("htmx:sendError htmx:timeout", retry);
  on("htmx:afterRequest", event => { if (event.detail.xhr.status >= 500 || event.detail.xhr.status === 429) retry(event); });
  addEventListener("online", quote);
  on("htmx:afterOnLoad", event => {
    const form = composer(), asked = event.detail.requestConfig?.parameters?.num_variants;
    if (!form) return;
    // Chosen anew while the answer was on its way.
    if (asked && asked !== form.elements.num_variants.value) { stale(); quote(); }
    const notice = document.querySelector("#notice[data-about=refused]");
    if (!notice || isPress(event) || byId("cost-note").querySelector(".over")) return;
    if (notice.contains(document.activeElement)) byId("generate").focus({ preventScroll: true });
    notice.remove();
  });

  // --- Counter and draft.
  const OPTIONS = ["style", "aspect_ratio", "resolution", "num_variants"];
  const count = () => {
    // As the server counts: an emoji is one.
    const length = [...byId("prompt").value].length, most = Number(byId("prompt").dataset.max), left = most - length;
    byId("prompt-count").textContent = `${length} / ${most}`;
    byId("prompt-count").classList.toggle("err", left < 0);
    if (left < 200 && left % 50 === 0) say(left < 0 ? `${-left} characters too many` : `${left} characters left`);
  };
  const keep = () => {
    const form = composer();
    if (form) sessionStorage.setItem(`draft:${form.dataset.draft}`, JSON.stringify(Object.fromEntries(["prompt", ...OPTIONS].map(name => [name, form.elements[name]?.value]))));
  };
  const restore = ({ withPrompt = true } = {}) => {
    const form = composer(), draft = form && JSON.parse(sessionStorage.getItem(`draft:${form.dataset.draft}`) ?? "null");
    if (!draft) return;
    if (withPrompt) form.elements.prompt.value = draft.prompt ?? "";
    for (const name of OPTIONS) {
      const choice = [...form.querySelectorAll(`input[name=${name}]`)].find(input => input.value === draft[name] && !input.disabled);
      if (choice && !choice.checked) { choice.checked = true; choice.dispatchEvent(new Event("change", { bubbles: true })); }
    }
    count();
  };
  on("input", event => { if (event.target.id === "prompt") count(); if (event.target.form && event.target.form === composer()) keep(); });

  on("DOMContentLoaded", () => {
    const keys = byId("submit-keys"), form = composer();
    if (keys && /Mac|iP(hone|ad)/.test(navigator.platform)) keys.textContent = "⌘ ↵";
    if (!form) return;
    // What the address or an error filled in wins over the draft, and becomes it.
    const url = new URL(location), isDrafted = url.searchParams.has("job") && !url.searchParams.has("reuse");
    if (isDrafted || !("prefilled" in form.dataset)) return restore();
    if (url.searchParams.has("prompt_only")) restore({ withPrompt: false });
    keep();
    for (const name of ["reuse", "prompt_only", "prompt_id"]) url.searchParams.delete(name);
    if (url.href !== location.href) { history.replaceState(null, "", url); byId("prompt").focus(); }
  });
})();
