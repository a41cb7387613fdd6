// Draws the traits of QuizFrontEnd (quiz.py), and sends what the student answers.

function render({ model, el }) {
  const question = model.get("question");
  // Radio buttons form a group by name: each view has its own.
  const name = "quiz-" + Math.random().toString(36).slice(2);

  const form = make("form", "unet-front unet-boxed unet-quiz");
  const fieldset = make("fieldset", "", form);
  make("legend", "", fieldset, { innerHTML: question.html });
  make("p", "", fieldset, { id: `${name}-how`, textContent: question.how });
  fieldset.setAttribute("aria-describedby", `${name}-how`);
  const inputs = question.kind === "numeric" ? [numberInput()] : question.options.map(optionInput);
  const triedLine = make("p", "unet-quiz-tried", fieldset);
  make("button", "", form, { type: "submit", textContent: question.graded ? "Keep this answer" : "Check" });
  const feedback = liveRegion("unet-quiz-feedback unet-aside", form);
  feedback.ariaAtomic = "true";

  function optionInput(option) {
    const label = make("label", "unet-quiz-option", fieldset);
    const type = question.kind === "single" ? "radio" : "checkbox";
    const input = make("input", "", label, { type, name, value: option.key });
    make("b", "", label, { textContent: option.key });
    make("span", "", label, { innerHTML: option.html });
    make("span", "unet-quiz-mark", label);
    return input;
  }

  function numberInput() {
    const label = make("label", "unet-row", fieldset);
    label.append("Your answer");
    // a number input would refuse 1/4
    return make("input", "", label, { type: "text", inputMode: "decimal", autocomplete: "off" });
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
    if (question.kind === "single") {
      for (const input of inputs) {
        const mark = input.closest("label").querySelector(".unet-quiz-mark");
        const entry = triedBefore(input.value);
        mark.textContent = entry?.mark ?? "";
        mark.dataset.verdict = entry?.verdict ?? "";
      }
    } else if (!question.graded) {
      const inWords = (given) => (question.kind === "multiple" ? [...given].join(", ") : given);
      const said = model.get("tried").map((entry) => `${inWords(entry.given)} ${entry.mark}`);
      triedLine.textContent = said.length ? "Tried so far: " + said.join("; ") : "";
    }
  }

  function showFeedback(entry) {
    kernel.answered();
    feedback.dataset.verdict = entry.verdict || "";
    feedback.innerHTML = entry.html || "";
  }

  function showNote(text) {
    showFeedback({ html: make("p", "", null, { textContent: text }).outerHTML });
  }

  const kernel = kernelOf(model, showNote, "run this cell again, then answer");

  function check(event) {
    event.preventDefault();
    const answer = chosenHere();
    const before = triedBefore(answer);
    if (before) showFeedback(before);
    else if (answer) kernel.send({ answer });
    else showNote(question.kind === "numeric" ? "Type a number first." : "Choose an option first.");
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
  keepKeys(form);
  const unwatch = watch(model, { chosen: onChosen, tried: showTried, reply: onReply });

  showChosen();
  showTried();
  onReply();
  el.append(form);

  return () => {
    kernel.stop();
    unwatch();
  };
}

export default { initialize, render };
