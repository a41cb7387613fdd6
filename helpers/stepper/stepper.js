// The page has all five steps from the beginning, so stepping works while the kernel is busy, and after it is gone.

const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const ABOVE = 2; // rows that stay visible above the first marked line

function render({ model, el }) {
  const steps = model.get("steps");
  const view = Math.random().toString(36).slice(2); // ids of this view

  const root = make("section", "unet-front unet-boxed unet-steps", el, { ariaLabel: "The U-Net in steps" });
  const bar = make("div", "unet-row", root);
  const back = button("‹ Back", bar, () => go(model.get("current") - 1));
  const next = button("Next ›", bar, () => go(model.get("current") + 1));
  const list = make("ol", "unet-steps-list unet-row", bar, { ariaLabel: "Steps" });
  const jumps = steps.map((step, k) => button(`${k + 1} ${step.title}`, make("li", "", list), () => go(k + 1)));
  const title = make("p", "unet-steps-title unet-head", root);
  const content = make("div", "", root);
  const said = liveRegion("unet-heard", root);

  function go(wanted) {
    const k = Math.min(Math.max(wanted, 1), steps.length);
    if (k === model.get("current")) return;
    model.set("current", k);
    try {
      model.send({}); // throws where the kernel is gone; `save_changes` would only log an error
    } catch (error) {
      console.warn(error); // nobody to tell; the page steps on its own
      return;
    }
    model.save_changes();
  }

  function show() {
    const k = model.get("current");
    const step = steps[k - 1];
    title.textContent = `unet.py ${k}/${steps.length} · ${step.title}`;
    // not `disabled`: a button that is, loses the focus of whoever has just pressed it
    back.ariaDisabled = String(k === 1);
    next.ariaDisabled = String(k === steps.length);
    jumps.forEach((jump, n) => (jump.ariaCurrent = n + 1 === k ? "step" : null));
    const ids = /id="title-([0-9a-f]+)"/.exec(step.html)[1]; // the same picture in two views needs two sets of ids
    replaceHtml(content, step.html.replaceAll(ids, `${ids}-${view}`));
    showMarked();
  }

  // Scrolls the code and nothing else: `scrollIntoView` would move the notebook, too.
  function showMarked() {
    const code = content.querySelector(".unet-steps-code");
    const first = code.querySelector("mark");
    code.scrollTop = first.offsetTop - ABOVE * first.offsetHeight;
  }

  function onCurrent() {
    show();
    said.textContent = steps[model.get("current") - 1].said;
  }

  root.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || hasModifier(event) || event.shiftKey) return;
    event.preventDefault();
    go(model.get("current") + KEYS[event.key]);
  });
  keepKeys(root);
  const unwatch = watch(model, { current: onCurrent });
  show();
  requestAnimationFrame(showMarked); // before, the node is on no page and nothing has a height

  return unwatch;
}

export default { initialize, render };
