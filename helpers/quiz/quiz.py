"""`quiz("dice-or-iou")`: a question, answered with the mouse, the keyboard or a call.

    quiz("dice-or-iou")                  shows the question
    quiz("dice-or-iou").answer("b")      answers it, without any widget

A practice question says at once what is right, and why. The answer to a graded one is kept in `answers.json` beside
the notebook, until it is handed in.

The model is `Quiz`; its front end, `quiz.js`, is told what is right, and why, with an answer and not before.
"""

from __future__ import annotations

import html
from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from helpers import frontend, markup, progress_store
from helpers.errors import called_as
from helpers.quiz import answers
from helpers.quiz.questions import Judgement, Question, find, problems

__all__ = ["Feedback", "Quiz", "problems", "quiz"]

# A sign and a word, so that nothing is said by colour alone. The colours are of the Okabe-Ito palette.
VERDICTS = {True: ("✓", "right", "#009E73"), False: ("✗", "wrong", "#D55E00"), None: ("•", "kept", "#0072B2")}
KEPT = "This is the answer that you hand in with the notebook. You may change it until then."
HOW = {
    "single": ("Choose one.", '"a"', "for option a"),
    "multiple": ("Choose all that apply.", '"ab"', "for options a and b"),
    "numeric": ("Type a number, such as 0.4, 12.5 or 3/8.", "12.5", "for 12.5"),
}

_open: dict[str, Quiz] = {}


@called_as('quiz("dice-or-iou")')
def quiz(id: str) -> Quiz:
    """The question `id`; as the last line of a cell it is shown.

    The same object each time, so that an answer given by a call appears in the widget above it, and a cell run again
    still shows what you tried.

    Raises:
        ValueError: there is no such question; the message names those that come near.
    """
    if id not in _open:
        _open[id] = Quiz(find(id))
    return _open[id]


class Feedback:
    """What is said to one answer. A notebook shows it as a box, a console as text.

    Attributes:
        judgement: the answer given, whether it is right, and the reasons.
    """

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement
        self.given, self.right = judgement.given, judgement.right
        self._sign, self._word, self._colour = VERDICTS[judgement.right]

    def __repr__(self) -> str:
        indented = partial(markup.wrapped, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([self._head(), *(indented(lead + rest) for lead, rest in self._lines())])

    def _repr_html_(self) -> str:
        style = f"border-left:4px solid {self._colour};padding:.1em .9em;margin:.6em 0;max-width:62em"
        return f'<div style="{style}">{self.inner_html()}</div>'

    def inner_html(self) -> str:
        """The same as HTML without a box around it."""
        lines = [(html.escape(self._head()), ""), *self._lines()]
        return "".join(f'<p style="margin:.3em 0"><b>{lead}</b>{markup.as_html(rest)}</p>' for lead, rest in lines)

    def entry(self) -> dict[str, str]:
        """The same as the front end gets it."""
        mark = f"{self._sign} {self._word}"
        return {"given": self.given, "verdict": self._word, "mark": mark, "html": self.inner_html()}

    def _head(self) -> str:
        parts = self.given if self.given.isalpha() else [self.given]  # keys are single letters; a number is one thing
        return f"{self._sign} {', '.join(parts)}: {self._word}"

    def _lines(self) -> list[tuple[str, str]]:
        """Reasons and note; before a reason among several the option that it is about."""
        reasons, note = self.judgement.reasons, self.judgement.note
        many = len(reasons) > 1 or (reasons and note)
        lines = [(f"{VERDICTS[r.right][0]} {r.given}: " if many else "", r.why) for r in reasons]
        return [*lines, ("", note)] if note else lines


def _kept(given: str) -> Feedback:
    """To an answer to a graded question: that it is kept. Whether it is right nobody knows here."""
    return Feedback(Judgement(given, None, (), KEPT))


class Quiz(frontend.RenewedPiece):
    """One question and what has been answered to it so far.

    Attributes:
        question: the question.
        attempts: the feedback to each answer, first to last. Of a graded question the first is the answer that
            `answers.json` held already.
    """

    _front_end: QuizFrontEnd | None = None

    def __init__(self, question: Question) -> None:
        self.question = question
        self.attempts: list[Feedback] = []
        if question.graded:
            kept = answers.read_on()
            if question.id in kept:
                self.attempts.append(_kept(kept[question.id]))
                if kept != answers.read():  # from the lesson's old folder: what is shown as kept is to be handed in
                    answers.keep(question.id, kept[question.id])

    @property
    def solved(self) -> bool:
        """Whether any answer was right."""
        return any(feedback.right for feedback in self.attempts)

    @called_as('quiz("dice-or-iou").answer("b")')
    def answer(self, given: Any) -> Feedback:
        """Answer the question, and be told why that is right or wrong. You may answer as often as you like.

        The answer to a graded question replaces the one before it in `answers.json`.

        Args:
            given: a key such as "b"; several such as "ac" or ["a", "c"]; or a number, also as text: "0.25", "1/4".

        Raises:
            ValueError: it cannot be an answer to this question; the message says what can.
            AnswersError: `answers.json` cannot be read or written, so nothing was changed.
        """
        plain = self.question.read(given)
        if self.question.graded:
            answers.keep(self.question.id, plain)
            progress_store.note_time()
            feedback = _kept(plain)
        else:
            feedback = Feedback(self.question.judge(plain))
            progress_store.note_quiz(self.question.id, feedback.right is True)
        self.attempts.append(feedback)
        if self._front_end:
            self._front_end.show(self)
            self.renew()
        return feedback

    def tried(self) -> list[Feedback]:
        """The feedback to each different answer, in the order in which they were first given; if graded, the last."""
        if self.question.graded:
            return self.attempts[-1:]
        return list({feedback.given: feedback for feedback in self.attempts}.values())

    def __repr__(self) -> str:
        """The question as text: the static fallback for a console."""
        lines = [markup.wrapped(f"{self._title()}: {self.question.text}")]
        for option in self.question.options:
            text = f"{option.key})  {option.text}"
            lines.append(markup.wrapped(text, initial_indent="  ", subsequent_indent="      "))
        what, example, meaning = HOW[self.question.kind]
        lines.append(f"{what} Without a widget: {self._call(example)} {meaning}.")
        return "\n".join([*lines, *map(repr, self.tried())])

    def as_html(self) -> str:
        """The question as HTML: the static fallback for a page."""
        options = "".join(
            f'<li style="margin:.3em 0"><b>{option.key}</b>&ensp;{markup.as_html(option.text)}</li>'
            for option in self.question.options
        )
        listed = f'<ul style="list-style:none;margin:.3em 0;padding-left:1em">{options}</ul>' if options else ""
        what, example, meaning = HOW[self.question.kind]
        call = html.escape(self._call(example), quote=False)
        return (
            '<div style="max-width:62em">'
            f'<p style="margin:.3em 0"><b>{self._title()}.</b> {markup.as_html(self.question.text)}</p>{listed}'
            f'<p style="margin:.3em 0">{what} Without a widget: <code>{call}</code> {meaning}.</p>'
            f"{''.join(feedback._repr_html_() for feedback in self.tried())}</div>"
        )

    def _title(self) -> str:
        return "Graded quiz" if self.question.graded else "Quiz"

    def _call(self, example: str) -> str:
        return f'quiz("{self.question.id}").answer({example})'

    def _make_front_end(self) -> QuizFrontEnd:
        return QuizFrontEnd(self)


class QuizFrontEnd(frontend.FrontEnd):
    """The state of a `Quiz` as traits, which all its views share.

    Traits:
        question: what is shown before an answer: kind, texts as HTML, keys. Not what is right, not why.
        chosen: what is selected or typed at the moment; written by the page, so that its views stay in step.
        tried: `Feedback.entry` of the different answers so far.
        reply: that of the latest answer, numbered by `n` so that the page sees two equal ones as two.
    """

    _esm = frontend.module(Path(__file__).with_name("quiz.js"))
    _css = frontend.style(Path(__file__).with_name("quiz.css"))
    question = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    tried: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(self, quiz: Quiz) -> None:
        question = quiz.question
        options = [{"key": option.key, "html": markup.as_html(option.text)} for option in question.options]
        super().__init__(
            question={
                "kind": question.kind,
                "html": markup.as_html(question.text),
                "how": HOW[question.kind][0] + (" This answer is graded." if question.graded else ""),
                "graded": question.graded,
                "options": options,
            }
        )
        self._quiz = quiz
        self.on_msg(self._on_answer)
        if quiz.attempts:
            self.show(quiz)
            if question.graded:
                self.chosen = quiz.attempts[-1].given

    def show(self, quiz: Quiz) -> None:
        """Bring the page up to date with the latest answer."""
        with self.hold_sync():  # one message, so that no view shows the mark without the reason
            self.tried = [feedback.entry() for feedback in quiz.tried()]
            self._reply(quiz.attempts[-1].entry())

    def _on_answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        try:
            self._quiz.answer(content["answer"])
        except ValueError as error:  # what was typed is no answer: said where it was typed
            text = f"<p><b>! not counted</b></p><p>{html.escape(str(error))}</p>"
            self._reply({"given": content["answer"], "verdict": "unread", "html": text})

    def _reply(self, entry: dict[str, str]) -> None:
        self.reply = {**entry, "n": self.reply.get("n", 0) + 1}
