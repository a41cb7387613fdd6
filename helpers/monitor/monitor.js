// Draws the traits of MonitorFrontEnd (monitor.py); texts and curves come ready.

const ANSWER_MS = 2000; // the kernel answers a press at once, or not at all
const NEWS_MS = 10_000; // steps are much shorter than this, most validations too

const INTERRUPT = "Press the stop button of the notebook (interrupt the kernel): the best weights are kept too.";

// Where the keyboard was in a view that the notebook is about to replace: see remember().
let focused = null;

// The way to a kernel that is busy: a comm that this page opens, which JupyterLab gives to a second thread of the kernel;
// monitor.py says why. A host that does not let us open one gets the widget's own, which waits until the cell has run.
function lineToKernel(model) {
  const kernel = model.widget_manager?.kernel;
  let comm;
  try {
    comm = kernel?.createComm(model.get("channel")); // now, since the second thread has to be started first
  } catch (error) {
    console.warn(error);
  }
  if (!comm) {
    let hear;
    return {
      send: (content) => model.send(content),
      listen: (handler) => model.on("msg:custom", (hear = handler)),
      close: () => model.off("msg:custom", hear),
    };
  }
  let opened = false;
  return {
    send(content) {
      comm[opened ? "send" : "open"](content);
      opened = true;
    },
    listen: (handler) => (comm.onMsg = (message) => handler(message.content.data)),
    close() {
      if (comm.isDisposed) return;
      if (opened && !kernel.isDisposed) comm.close();
      else comm.dispose();
    },
  };
}

function render({ model, el }) {
  const root = make("section", "unet-front unet-boxed unet-monitor", null, { ariaLabel: "Training" });
  keepKeys(root);

  const top = make("div", "unet-row", root);
  const bar = make("div", "unet-monitor-bar", top);
  Object.assign(bar, { role: "progressbar", ariaLabel: "Progress of the training", ariaValueMin: 0, ariaValueMax: 100 });
  const done = make("div", "", bar);
  const percent = make("span", "unet-monitor-percent unet-number", top);
  const stop = button("", top, press);
  const head = make("p", "unet-monitor-head unet-head", root);
  const note = liveRegion("unet-monitor-note unet-aside", root);
  const said = liveRegion("unet-heard", root);

  const middle = make("div", "unet-monitor-middle unet-row", root);
  const curves = make("div", "unet-monitor-curves", middle);
  const pictures = make("div", "unet-monitor-pictures unet-row", middle);
  const truth = picture("image, and the truth as a line");
  const guess = picture("");
  const back = make("div", "unet-monitor-back", pictures);
  const choice = make("label", "unet-row", back);
  choice.append("Predicted at ");
  const slider = make("input", "", choice, { type: "range", min: 0, step: 1 });
  slider.ariaLabel = "Which prediction is shown, first to latest";
  const strip = make("div", "unet-monitor-strip", back, { ariaHidden: "true" }); // the slider says the same
  const facts = make("ul", "unet-facts", root);

  function picture(words) {
    const figure = make("figure", "", pictures);
    const frame = make("div", "unet-stack", figure);
    const image = make("img", "", frame);
    const outline = make("img", "", frame, { alt: "" });
    const caption = make("figcaption", "", figure, { textContent: words });
    return { image, outline, caption };
  }

  // ---- the stop button ----

  let waiting; // for the answer to a press
  let lastNews = Date.now();
  const line = lineToKernel(model);

  const training = () => model.get("state").phase === "training";

  function press() {
    if (!training() || stop.ariaDisabled === "true") return;
    try {
      line.send({ stop: model.get("state").run, key: model.get("key") });
    } catch (error) {
      console.warn(error); // the page still has this widget, and the kernel that had it is gone
      say("The kernel behind this is gone, and the training with it.");
      return;
    }
    say("Asking the training to stop …");
    clearTimeout(waiting);
    waiting = setTimeout(() => say("No answer: this host cannot reach a busy kernel. " + INTERRUPT), ANSWER_MS);
  }

  function say(text, about = "") {
    note.textContent = text;
    note.dataset.about = about;
  }

  function onAnswer(content) {
    if (content.heard === model.get("state").run && training()) {
      clearTimeout(waiting);
      say("Stopping after this step. The best weights so far are kept.");
      stop.ariaDisabled = "true";
    } else if (content.late !== undefined) {
      clearTimeout(waiting);
      say("The training had ended before the press arrived.");
    }
  }

  // ---- what Python says ----

  let shown = {}; // the state that the view shows

  function onState() {
    const state = model.get("state");
    lastNews = Date.now();
    Object.assign(bar, { ariaValueNow: state.percent, ariaValueText: state.head });
    bar.dataset.phase = state.phase;
    done.style.width = state.percent + "%";
    percent.textContent = state.percent + " %";
    head.textContent = state.head;
    if (state.said !== shown.said) said.textContent = state.said;
    if (state.phase !== shown.phase || state.run !== shown.run) {
      clearTimeout(waiting);
      say("");
      stop.textContent = state.phase === "training" ? "Stop, keep the best weights" : "Training has ended";
      stop.ariaDisabled = String(state.phase !== "training");
      if (shown.phase === "training") remember();
    } else if (note.dataset.about === "silence") {
      say("");
    }
    if (JSON.stringify(state.facts) !== JSON.stringify(shown.facts)) {
      facts.replaceChildren(...state.facts.map((fact) => make("li", "", null, { textContent: fact })));
    }
    if (state.kept !== shown.kept) onPicked();
    shown = state;
  }

  // No news for long is said, since a kernel that has gone sends none either.
  const silence = setInterval(() => {
    if (!training() || Date.now() - lastNews < NEWS_MS || note.dataset.about === "silence") return;
    say("No news for 10 s: a long step or validation, or the kernel was restarted; then run this cell again.", "silence");
  }, 1000);

  function onCurves() {
    curves.innerHTML = model.get("curves"); // drawn and escaped in Python
  }

  function onImage() {
    const image = model.get("image");
    pictures.hidden = !image.src;
    if (!image.src) return;
    truth.image.src = image.src;
    truth.image.alt = `Validation image of ${image.size}, with the borders of its true mask`;
    truth.outline.src = guess.outline.src = image.outline;
  }

  function onPredictions() {
    const predictions = model.get("predictions");
    const thumbs = predictions.map((one, k) => {
      const thumb = make("img", "", null, { src: one.src, alt: "", title: one.label });
      thumb.addEventListener("click", () => pick(k));
      return thumb;
    });
    strip.replaceChildren(...thumbs);
    slider.max = Math.max(0, predictions.length - 1);
    back.hidden = predictions.length < 2;
    onPicked();
  }

  function onPicked() {
    const predictions = model.get("predictions");
    if (!predictions.length) return;
    const { kept } = model.get("state"); // after the training
    const picked = model.get("picked") || kept || Infinity;
    const found = predictions.findIndex((one) => one.step >= picked);
    const at = found < 0 ? predictions.length - 1 : found;
    const latest = at === predictions.length - 1;
    guess.image.src = predictions[at].src;
    guess.image.alt = `The mask predicted at ${predictions[at].label}`;
    const now = latest ? "predicted now" : "predicted earlier";
    const after = predictions[at].step === kept ? "by the kept weights" : "on the way";
    guess.caption.textContent = `${kept ? after : now}: ${predictions[at].label}`;
    slider.value = at;
    slider.ariaValueText = predictions[at].label + (latest ? ", the latest" : "");
    [...strip.children].forEach((thumb, k) => thumb.classList.toggle("unet-monitor-picked", k === at));
  }

  // All views of the page share what is picked. The kernel is not asked: it is busy, and need not know.
  function pick(at) {
    const predictions = model.get("predictions");
    const isLatest = training() && at === predictions.length - 1;
    model.set("picked", isLatest ? 0 : predictions[at].step);
  }

  // When a training ends the notebook puts a new view in the place of this one; the keyboard stays where it was.
  function remember() {
    const control = [stop, slider].indexOf(document.activeElement);
    if (control >= 0) focused = { control, until: Date.now() + 5000 };
  }

  function giveFocusBack() {
    if (!focused || Date.now() > focused.until || !root.isConnected) return;
    [stop, slider][focused.control].focus({ preventScroll: true });
    focused = null;
  }

  line.listen(onAnswer);
  slider.addEventListener("input", () => pick(Number(slider.value)));
  const handlers = { state: onState, curves: onCurves, image: onImage, predictions: onPredictions, picked: onPicked };
  const unwatch = watch(model, handlers);
  for (const handler of Object.values(handlers)) handler();
  el.append(root);
  requestAnimationFrame(giveFocusBack);

  return () => {
    clearTimeout(waiting);
    clearInterval(silence);
    line.close();
    unwatch();
  };
}

export default { initialize, render };
