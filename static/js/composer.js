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
    for (const old of composer().querySelectorAll("#error-summary, .err:not(.keep, .hint)")) old.remove();
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
    show("view-results", false);
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
  const priced = () => [...composer().querySelectorAll("[data-prices] :checked")];
  on("htmx:afterOnLoad", event => {
    const form = composer(), asked = event.detail.requestConfig?.parameters;
    if (!form) return;
    // Chosen anew while the answer was on its way.
    const isOther = priced().some(input => asked?.[input.name] && asked[input.name] !== input.value);
    // An answer may itself move an option, and is then the price of what it moved it to.
    const isAnswered = isQuote(event) && byId("cost").dataset.for === priced().map(input => input.value).join(" ");
    if (isOther && !isAnswered) { stale(); quote(); }
    const notice = document.querySelector("#notice[data-about=refused]");
    if (!notice || isPress(event) || byId("cost-note").querySelector(".over")) return;
    if (notice.contains(document.activeElement)) byId("generate").focus({ preventScroll: true });
    notice.remove();
  });

  // --- Counter and draft.
  const options = form => form.dataset.options.split(" ");
  const count = () => {
    // As the server counts: an emoji is one.
    const length = [...byId("prompt").value].length, most = Number(byId("prompt").dataset.max), left = most - length;
    byId("prompt-count").textContent = `${length} / ${most}`;
    byId("prompt-count").classList.toggle("err", left < 0);
    const rule = byId("prompt-rule");
    if (rule) rule.hidden = length <= Number(rule.dataset.near);
    if (left < 200 && left % 50 === 0) say(left < 0 ? `${-left} characters too many` : `${left} characters left`);
  };
  const stored = form => JSON.parse(sessionStorage.getItem(`draft:${form.dataset.draft}`) ?? "null");
  const keep = (more = {}) => {
    const form = composer();
    if (!form) return;
    const values = Object.fromEntries(["prompt", "start_frame_id", ...options(form)].map(name => [name, form.elements[name]?.value]));
    sessionStorage.setItem(`draft:${form.dataset.draft}`, JSON.stringify({ filled: stored(form)?.filled, ...values, ...more }));
  };
  const restore = ({ without = [] } = {}) => {
    const form = composer(), draft = form && stored(form);
    if (!draft) return;
    if (!without.includes("prompt")) form.elements.prompt.value = draft.prompt ?? "";
    let changed = null;
    for (const name of options(form).filter(name => !without.includes(name))) {
      // One that is off for the provider of this page may be on for the draft's: the answer says.
      const choice = [...form.querySelectorAll(`input[name=${name}]`)].find(input => input.value === draft[name]);
      if (!choice || choice.checked) continue;
      choice.disabled = false;
      choice.checked = true;
      changed ??= choice;
    }
    changed?.dispatchEvent(new Event("change", { bubbles: true }));
    if (draft.start_frame_id && form.dataset.frameUrl && !form.elements.start_frame_id.value && !without.includes("start_frame_id")) {
      const source = byId("start-frame");
      htmx.ajax("GET", `${form.dataset.frameUrl}?keep=1&start_frame=${draft.start_frame_id}`, { source, target: source, swap: "outerHTML", values: Object.fromEntries(options(form).map(name => [name, form.elements[name].value])) }).catch(() => {});
    }
    count();
  };
  on("studio:frame", () => keep());
  on("htmx:oobAfterSwap", event => { if (event.detail.target?.id === "prompt-hint-text") count(); });
  on("input", event => { if (event.target.id === "prompt") count(); if (event.target.form && event.target.form === composer()) keep(); });

  on("DOMContentLoaded", () => {
    const keys = byId("submit-keys"), form = composer();
    if (keys && /Mac|iP(hone|ad)/.test(navigator.platform)) keys.textContent = "⌘ ↵";
    if (!form) return;
    // What the address or an error filled in wins over the draft, and becomes it.
    const url = new URL(location), has = name => url.searchParams.has(name);
    if ((has("job") && !has("reuse")) || !("prefilled" in form.dataset)) return restore();
    if (has("prompt_only")) restore({ without: ["prompt"] });
    if (has("start_frame") && !has("reuse")) {
      // A picture to be animated: what was written stays, unless another picture had brought it.
      const draft = stored(form), filled = form.elements.prompt.value, own = draft?.prompt && draft.prompt !== draft.filled;
      restore({ without: ["aspect_ratio", "start_frame_id", ...(own ? [] : ["prompt"])] });
      keep({ filled });
    } else keep();
    for (const name of ["reuse", "prompt_only", "prompt_id", "start_frame"]) url.searchParams.delete(name);
    // A fragment that stays would take the focus again whenever the viewer closes.
    if (url.hash === "#prompt") url.hash = "";
    if (url.href !== location.href) { history.replaceState(null, "", url); byId("prompt").focus(); }
  });
})();
