// The video studio: options a provider does not make, the start frame, camera words, and playing.
"use strict";
(() => {
  const { byId, on, say } = studio;

  // --- Options that are off. Without this file they can be chosen, and the server says why not.
  const switchOff = () => {
    for (const input of document.querySelectorAll("#composer [data-off]")) input.disabled = !input.checked;
  };
  on("DOMContentLoaded htmx:afterSettle change", switchOff);

  // --- The start frame: size checked before it travels, progress while it does, paste like drop.
  const refuse = text => {
    const error = byId("start_frame_id-error");
    error.textContent = text;
    error.hidden = false;
    if (byId("start-frame-file")) byId("start-frame-file").value = "";
    byId("uploading").hidden = true;
  };
  const isUpload = event => event.detail.elt?.id === "start-frame-file";
  const isUploading = () => byId("uploading") && !byId("uploading").hidden;
  document.addEventListener("submit", event => {
    // Its ratio may change the order: nothing is ordered before the picture has arrived.
    if (event.target.id !== "composer" || !isUploading()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    byId("upload-wait").hidden = false;
    say(byId("upload-wait").textContent);
  }, true);
  on("htmx:beforeRequest", event => {
    if (!isUpload(event)) return;
    const input = event.detail.elt, file = input.files[0];
    if (!file) return event.preventDefault();
    if (file.size > Number(input.dataset.maxBytes)) {
      event.preventDefault();
      return refuse(`${file.name} has ${(file.size / 1048576).toFixed(1)} MB; a start frame may have 10 MB.`);
    }
    byId("start_frame_id-error").hidden = true;
    byId("upload-name").textContent = file.name;
    byId("uploading").hidden = false;
  });
  on("htmx:xhr:progress", event => {
    if (isUpload(event) && event.detail.lengthComputable) byId("upload-progress").value = 100 * event.detail.loaded / event.detail.total;
  });
  on("htmx:beforeSwap", event => {
    // Refused before our own page saw it: the frame that was there stays.
    if (event.detail.target?.id !== "start-frame" || event.detail.serverResponse.includes('id="start-frame"')) return;
    event.detail.shouldSwap = false;
    const { status } = event.detail.xhr;
    refuse(status === 413 ? event.detail.serverResponse : status === 401 ? "You are signed out. Sign in, then add the picture." : "That did not work. Try again.");
  });
  on("htmx:sendError", event => { if (isUpload(event)) refuse("The picture did not arrive: the connection broke. Try again."); });
  on("htmx:timeout", event => { if (isUpload(event)) refuse("The picture took too long to arrive. Try again with a smaller copy."); });
  on("htmx:afterSwap", event => {
    if (event.detail.target?.id !== "start-frame") return;
    document.dispatchEvent(new Event("studio:frame"));
    if (document.activeElement === document.body) (byId("start-frame-file") ?? byId("start-frame")).focus({ preventScroll: true });
  });
  on("paste", event => {
    const input = byId("start-frame-file"), data = event.clipboardData;
    const file = [...(data?.files ?? [])].find(one => one.type.startsWith("image/"));
    if (!input || !file || byId("viewer")?.open) return;
    if (event.target.matches?.("input, textarea") && data.getData("text")) return;
    event.preventDefault();
    attach([file]);
  });
  const isFile = event => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const isOverFrame = event => byId("start-frame")?.contains(event.target);
  const attach = files => {
    const input = byId("start-frame-file"), transfer = new DataTransfer();
    transfer.items.add(files[0]);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  // Dropped anywhere else, a file would take the place of the page and of what was written.
  on("dragover drop", event => { if (isFile(event) && byId("start-frame")) event.preventDefault(); });
  on("dragenter dragover dragleave drop", event => byId("start-frame")?.classList.toggle("over", isFile(event) && isOverFrame(event) && /dragenter|dragover/.test(event.type)));
  on("drop", event => { if (isFile(event) && isOverFrame(event) && event.dataTransfer.files.length) attach(event.dataTransfer.files); });
  on("htmx:afterOnLoad", event => {
    if (event.detail.elt.matches("[data-closes-viewer]") && event.detail.xhr.status < 400) byId("viewer").close();
  });

  // --- What still fits, chosen from the refusal that named it.
  on("click", event => {
    const wanted = event.target.closest?.("[data-choose]")?.dataset.choose.split(" ");
    if (!wanted) return;
    for (const [index, name] of ["provider", "duration"].entries()) {
      const input = [...document.querySelectorAll(`#composer [name=${name}]`)].find(one => one.value === wanted[index]);
      input.disabled = false;
      input.checked = true;
    }
    document.querySelector("#composer [name=provider]:checked").dispatchEvent(new Event("change", { bubbles: true }));
    byId("generate").focus();
  });

  // --- Words for the camera, put where the cursor is or at the end.
  on("click", event => {
    const words = event.target.closest?.("[data-insert]")?.dataset.insert, prompt = byId("prompt");
    if (!words) return;
    const at = prompt.selectionStart ?? prompt.value.length;
    const before = prompt.value.slice(0, at), after = prompt.value.slice(at);
    const isStart = !before.trim() || /[.!?]\s*$/.test(before);
    const lead = !before || /\s$/.test(before) ? "" : isStart ? " " : ", ";
    const text = lead + (isStart ? words : words.toLowerCase()) + (after && !/^[\s,.]/.test(after) ? ", " : "");
    prompt.setRangeText(text, at, prompt.selectionEnd ?? at, "end");
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
    prompt.focus();
    say(`${words} added to the prompt.`);
  });

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  // --- Playing: at once in the viewer, muted under the pointer on a card.
  on("htmx:afterSwap", event => {
    if (event.detail.target?.id !== "viewer-body") return;
    const player = byId("player");
    if (!player) return;
    player.focus();
    player.loop = !still.matches;
    if (!still.matches) player.play().catch(() => {});
  });
  const fine = matchMedia("(hover: hover) and (pointer: fine)");
  let waiting;
  document.addEventListener("pointerenter", event => {
    const frame = event.target.closest?.("[data-preview]");
    if (frame !== event.target || !frame || still.matches || !fine.matches || navigator.connection?.saveData) return;
    waiting = setTimeout(() => {
      const video = document.createElement("video");
      Object.assign(video, { src: frame.dataset.preview, muted: true, loop: true, playsInline: true, className: "preview" });
      video.setAttribute("aria-hidden", "true");
      frame.append(video);
      video.play().catch(() => video.remove());
    }, 150);
  }, true);
  document.addEventListener("pointerleave", event => {
    if (!event.target.matches?.("[data-preview]")) return;
    clearTimeout(waiting);
    for (const video of event.target.querySelectorAll("video")) { video.removeAttribute("src"); video.load(); video.remove(); }
  }, true);
})();
