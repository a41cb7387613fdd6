// Draws the traits of CardFrontEnd (card.py), and sends what the student asks for.

const HEARD_AFTER_MS = 150; // a live region has to be there for a moment before it says something

function render({ model, el }) {
  const card = make("div", "unet-front unet-card", null, { role: "group", ariaLabel: model.get("heard") });
  card.dataset.status = model.get("status");
  make("div", "unet-card-verdict", card, { innerHTML: model.get("html") });
  const heard = liveRegion("unet-heard", card);
  const row = make("div", "unet-row", card, { role: "group", ariaLabel: "What helps" });
  const note = make("div", "unet-card-note unet-small", card);
  const answers = liveRegion("unet-card-answers", card);
  answers.ariaAtomic = "false"; // what is new is read aloud, not all that stands there
  const buttons = new Map(); // by what they ask for
  let speaking;
  let isAsked = false; // in this view
  let wasLooking = false;

  function showButtons() {
    for (const { what, label, more } of model.get("buttons")) {
      if (!buttons.has(what)) buttons.set(what, button("", row, () => ask(what)));
      const node = buttons.get(what);
      node.textContent = label;
      node.setAttribute("aria-disabled", String(!more)); // not `disabled`, which would take the focus away
    }
  }

  function ask(what) {
    const isLooking = what === "where" && model.get("looking");
    if (what === "next" && goOn()) return;
    if (buttons.get(what).getAttribute("aria-disabled") === "true") shown(what)?.scrollIntoView({ block: "nearest" });
    else isAsked = kernel.send({ ask: isLooking ? "stop" : what });
  }

  // Goes to the next exercise, if it is on this page, and returns whether it is.
  function goOn() {
    const heads = [...(el.closest(".jp-Notebook")?.querySelectorAll("h3") ?? [])];
    const head = heads.find((node) => node.querySelector("code")?.textContent === model.get("next"));
    head?.setAttribute("tabindex", "-1");
    head?.focus({ preventScroll: true });
    head?.scrollIntoView({ block: "start" });
    return Boolean(head);
  }

  // what was said last of this kind
  function shown(what) {
    return [...answers.children].reverse().find((node) => node.dataset.key.startsWith(what));
  }

  function showAnswers() {
    showLooking(); // in place of what was said of the kernel
    const before = new Map([...answers.children].map((node) => [node.dataset.key, node]));
    for (const { key, html } of model.get("said")) {
      const node = before.get(key) ?? make("div", "unet-card-answer", answers);
      if (node.dataset.html === html) continue; // what stays is not read aloud again
      node.dataset.key = key;
      node.dataset.html = html;
      node.innerHTML = html;
      if (isAsked) node.scrollIntoView({ block: "nearest" });
    }
  }

  function showLooking() {
    kernel.answered();
    const looking = model.get("looking");
    if (Boolean(looking) !== wasLooking) heard.textContent = looking || "Looking has ended."; // not every step
    wasLooking = Boolean(looking);
    note.textContent = looking;
  }

  function say(text) {
    note.textContent = text;
    heard.textContent = text;
  }

  const kernel = kernelOf(model, say);
  keepKeys(card);
  const unwatch = watch(model, { buttons: showButtons, said: showAnswers, looking: showLooking });

  showButtons();
  showAnswers();
  el.append(card);
  if (model.get("fresh")) {
    card.classList.add("unet-card-fresh"); // not for ever: a page that takes a cell away and back would play it again
    card.addEventListener("animationend", () => card.classList.remove("unet-card-fresh"));
    speaking = setTimeout(() => (heard.textContent = model.get("heard")), HEARD_AFTER_MS);
    model.set("fresh", false);
    model.save_changes();
  }

  return () => {
    clearTimeout(speaking);
    kernel.stop();
    unwatch();
  };
}

export default { initialize, render };
