// The front end of a quiz. It draws the traits of QuizFront (quiz.py) and sends what the student answers.
// What is right, and why, is not known here until Python has sent it with an answer.

const WAIT_MS = 600; // a kernel that is free has answered long before

function render({ model, el }) {
  const question = model.get("question");
  // Radio buttons form a group by name, and labels find inputs by id: each view has its own.
  const name = "quiz-" + Math.random().toString(36).slice(2);

  const form = make("form", "unet-quiz");
  form.noValidate = true;
  const fieldset = make("fieldset", "", form);
  make("legend", "", fieldset).innerHTML = question.html;
  const how = make("p", "unet-quiz-how", fieldset);
  how.id = name + "-how";
  how.textContent = question.how;
  fieldset.setAttribute("aria-describedby", how.id);
  const inputs = question.kind === "numeric" ? [numberInput()] : question.options.map(optionInput);
  const triedLine = make("p", "unet-quiz-tried", fieldset);
  const button = make("button", "", form);
  button.type = "submit";
  button.textContent = question.graded ? "Keep this answer" : "Check";
  // A live region is read aloud when it changes, so it has to be on the page before it says anything.
  const feedback = make("div", "unet-quiz-feedback", form);
  feedback.setAttribute("role", "status");
  feedback.setAttribute("aria-live", "polite");
  feedback.setAttribute("aria-atomic", "true");

  function optionInput(option) {
    const label = make("label", "unet-quiz-option", fieldset);
    const input = make("input", "", label);
    input.type = question.kind === "single" ? "radio" : "checkbox";
    input.name = name;
    input.value = option.key;
    make("b", "", label).textContent = option.key;
    make("span", "", label).innerHTML = option.html;
    make("span", "unet-quiz-mark", label);
    return input;
  }

  function numberInput() {
    const label = make("label", "unet-quiz-number", fieldset);
    label.append("Your answer");
    const input = make("input", "", label);
    input.type = "text"; // a number input would refuse 1/4
    input.inputMode = "decimal";
    input.autocomplete = "off";
    input.name = name;
    return input;
  }

  function chosenHere() {
    if (question.kind === "numeric") return inputs[0].value.trim();
    return inputs.filter((input) => input.checked).map((input) => input.value).join("");
  }

  function showChosen() {
    const chosen = model.get("chosen");
    if (chosen === chosenHere()) return; // leaves the text cursor where it is
    if (question.kind === "numeric") inputs[0].value = chosen;
    else inputs.forEach((input) => (input.checked = chosen.includes(input.value)));
  }

  function triedBefore(answer) {
    return model.get("tried").find((entry) => entry.given === answer);
  }

  function showTried() {
    const tried = model.get("tried");
    if (question.kind === "single") {
      for (const input of inputs) {
        const mark = input.closest("label").querySelector(".unet-quiz-mark");
        const entry = triedBefore(input.value);
        mark.textContent = entry ? entry.mark : "";
        mark.dataset.verdict = entry ? entry.verdict : "";
      }
    } else if (!question.graded) {
      const said = tried.map((entry) => `${[...answerParts(entry.given)].join(", ")} ${entry.mark}`);
      triedLine.textContent = said.length ? "Tried so far: " + said.join("; ") : "";
    }
  }

  function answerParts(given) {
    return question.kind === "multiple" ? given : [given];
  }

  function showFeedback(entry) {
    clearTimeout(waiting);
    feedback.dataset.verdict = entry.verdict || "";
    feedback.innerHTML = entry.html || "";
  }

  function showNote(text) {
    const note = make("p", "");
    note.textContent = text;
    showFeedback({ html: note.outerHTML });
  }

  let waiting;

  function check(event) {
    event.preventDefault();
    const answer = chosenHere();
    if (!answer) {
      showNote(question.kind === "numeric" ? "Type a number first." : "Choose an option first.");
    } else if (triedBefore(answer)) {
      showFeedback(triedBefore(answer));
    } else {
      send(answer);
    }
  }

  function send(answer) {
    clearTimeout(waiting);
    try {
      model.send({ answer });
    } catch (error) {
      // the page still has this widget, and the kernel that had it is gone
      console.warn(error);
      showNote("The kernel that asked this question is gone. Run this cell again, then answer.");
      return;
    }
    const note = "Waiting for the kernel. It is busy, or it was restarted: then run this cell again.";
    waiting = setTimeout(() => showNote(note), WAIT_MS);
  }

  function choose() {
    model.set("chosen", chosenHere());
    model.save_changes();
  }

  function onChosen() {
    showChosen();
    const entry = triedBefore(model.get("chosen"));
    if (entry) showFeedback(entry); // an option tried before shows its reason again
  }

  function onReply() {
    showFeedback(model.get("reply"));
  }

  form.addEventListener("input", choose);
  form.addEventListener("submit", check);
  // Plain keys are for the inputs: in a notebook the arrow keys would change the cell and a letter would delete it.
  form.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  model.on("change:chosen", onChosen);
  model.on("change:tried", showTried);
  model.on("change:reply", onReply);

  showChosen();
  showTried();
  onReply();
  el.append(form);

  return () => {
    clearTimeout(waiting);
    model.off("change:chosen", onChosen);
    model.off("change:tried", showTried);
    model.off("change:reply", onReply);
  };
}

function make(tag, className, parent) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (parent) parent.append(node);
  return node;
}

export default { render };
