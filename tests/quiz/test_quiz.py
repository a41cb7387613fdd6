"""The quiz without a page: what it says to each answer, what it refuses, what it tells an author, what it shows."""

import json
import re
from pathlib import Path

import pytest

from helpers import markup
from helpers.quiz import questions
from helpers.quiz.questions import Option, Question
from helpers.quiz.quiz import Quiz, QuizFrontEnd, problems, quiz

REPOSITORY = Path(__file__).parents[2]
SHIPPED = [question for path in questions.files() for question in questions.load(path)]
PRACTICE = [question for question in SHIPPED if not question.graded]
CHOICES = [(q.id, o.key) for q in PRACTICE for o in q.options]
NUMBERS = [q for q in PRACTICE if q.kind == "numeric"]


@pytest.fixture
def multiple() -> Quiz:
    options = [
        Option(k, text, k != "b", f"Why {k}.") for k, text in zip("abc", ("skips", "dropout", "ups"), strict=True)
    ]
    return Quiz(Question("parts", "test", "multiple", "Which parts?", tuple(options)))


def fresh(id: str) -> Quiz:
    """A quiz that no other test has answered."""
    return Quiz(questions.find(id))


# ---- the shipped questions ------------------------------------------------------------------------------------------


def test_the_shipped_questions_have_no_problems():
    assert problems() == []


@pytest.mark.parametrize("path", questions.files(), ids=lambda path: path.stem)
def test_a_lesson_asks_each_question_of_its_file_once(path):
    script = (REPOSITORY / "autograde" / "lessons" / f"{path.stem}.py").read_text(encoding="utf-8")
    asked = re.findall(r'^quiz\("([^"]+)"\)', script, flags=re.MULTILINE)
    assert sorted(asked) == sorted(question.id for question in questions.load(path))
    assert sum(not questions.find(id).graded for id in asked) >= 2
    assert any(questions.find(id).graded for id in asked)


@pytest.mark.parametrize(("id", "key"), CHOICES)
def test_each_option_gives_its_own_reason(id, key):
    question = questions.find(id)
    option = next(option for option in question.options if option.key == key)
    feedback = fresh(id).answer(key)
    only = question.kind == "single" or [o.key for o in question.options if o.right] == [key]
    assert feedback.right == (option.right and only)
    assert option.why in [reason.why for reason in feedback.judgement.reasons]
    assert [o.key for o in question.options if o.why == option.why] == [key]


@pytest.mark.parametrize("question", NUMBERS, ids=lambda question: question.id)
def test_each_known_number_gives_its_own_reason(question):
    known = [(question.answer, True, question.why), *((near.number, False, near.why) for near in question.near)]
    assert len({why for _, _, why in known}) == len(known)
    for number, right, why in known:
        feedback = fresh(question.id).answer(number)
        assert feedback.right == right
        assert [reason.why for reason in feedback.judgement.reasons] == [why]
    feedback = fresh(question.id).answer(-123.456)
    assert not feedback.right
    assert [reason.why for reason in feedback.judgement.reasons] == [question.otherwise]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("accuracy-of-nothing", "d"),
        ("dice-or-iou", "c"),
        ("iou-by-hand", "0.25"),
        ("shape-after-double-conv", "b"),
        ("two-small-or-one-large", "d"),
        ("bias-before-norm", "c"),
        ("padding-zero-shrinks", "568"),
    ],
)
def test_the_right_answers(id, answer):
    assert fresh(id).answer(answer).right


def test_the_facts_in_the_reasons_hold():
    """What the questions claim, computed."""
    torch = pytest.importorskip("torch")
    from helpers.reference.overlap import dice, iou
    from helpers.reference.unet import DoubleConv

    pred, target = torch.zeros(1, 20, dtype=torch.bool), torch.zeros(1, 20, dtype=torch.bool)
    pred[0, 0:6], target[0, 4:8] = True, True
    assert (pred & target).sum() == 2
    assert iou(pred, target) == questions.find("iou-by-hand").answer
    overlap = (pred & target).sum()
    wrong = [dice(pred, target), overlap / (pred.sum() + target.sum()), overlap / pred.sum(), overlap / target.sum()]
    near = [near.number for near in questions.find("iou-by-hand").near]
    assert near == pytest.approx([float(number) for number in wrong], abs=1e-4)

    x = torch.rand(8, 1, 64, 64)
    shapes = {o.key: o.text.strip("`") for o in questions.find("shape-after-double-conv").options}
    assert str(tuple(DoubleConv(1, 16, padding=1)(x).shape)) == shapes["b"]
    assert str(tuple(DoubleConv(1, 16, padding=0)(x).shape)) == shapes["a"]
    side = DoubleConv(1, 2, padding=0)(torch.rand(1, 1, 572, 8)).shape[2]
    assert side == questions.find("padding-zero-shrinks").answer


# ---- how an answer may be written -----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["ac", "ca", "a, c", " A C ", ["a", "c"], ("c", "a"), {"a", "c"}])
def test_multiple_in_any_form(multiple, given):
    feedback = multiple.answer(given)
    assert (feedback.right, feedback.judgement.given) == (True, "ac")


@pytest.mark.parametrize("given", [0.25, "0.25", " 1/4 ", "2/8", "25e-2", ".25", 0.255])
def test_number_in_any_form(given):
    assert fresh("iou-by-hand").answer(given).right


@pytest.mark.parametrize(("id", "given"), [("iou-by-hand", 0.256), ("padding-zero-shrinks", 568.1)])
def test_a_number_beyond_the_tolerance_is_wrong(id, given):
    assert not fresh(id).answer(given).right


@pytest.mark.parametrize(
    ("id", "given", "said"),
    [
        ("dice-or-iou", "e", "no option e. The options of 'dice-or-iou' are a, b, c, d"),
        ("dice-or-iou", "ab", "takes one"),
        ("dice-or-iou", "", "No option chosen"),
        ("dice-or-iou", 2, "not a key"),
        ("dice-or-iou", None, "not a key"),
        ("dice-or-iou", [["a"]], "not a key"),
        ("iou-by-hand", "a quarter", "a quarter is not a number"),
        ("iou-by-hand", "0,25", r"0,25 is not a number. Write one such as 12.5 \(with a point, not a comma\)"),
        ("iou-by-hand", "", "not a number"),
        ("iou-by-hand", "1/0", "not a number"),
        ("iou-by-hand", "1/2/3", "not a number"),
        ("iou-by-hand", "nan", "not a number"),
        ("iou-by-hand", "1e999", "not a number"),
        ("iou-by-hand", float("inf"), "not a number"),
        ("iou-by-hand", 10**400, "not a number"),
        ("iou-by-hand", True, "not a number"),
        ("iou-by-hand", None, "not a number"),
        ("iou-by-hand", ["0.25"], "not a number"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_and_not_counted(id, given, said):
    asked = fresh(id)
    with pytest.raises(ValueError, match=said):
        asked.answer(given)
    assert asked.attempts == []


def test_an_unknown_id_names_those_that_come_near():
    with pytest.raises(ValueError, match="no quiz 'dice-and-iou'. Do you mean 'dice-or-iou'"):
        quiz("dice-and-iou")


# ---- what is said ---------------------------------------------------------------------------------------------------


def test_multiple_explains_what_was_ticked_and_everything_once_right(multiple):
    wrong = multiple.answer("ab")
    assert not wrong.right
    reasons = [(reason.given, reason.right, reason.why) for reason in wrong.judgement.reasons]
    assert reasons == [("a", True, "Why a."), ("b", False, "Why b.")]
    assert wrong.judgement.note
    assert not multiple.answer("abc").judgement.note  # nothing is missing, one is too many
    assert [r.given for r in multiple.answer("ac").judgement.reasons] == ["a", "b", "c"]


def test_feedback_says_by_sign_and_word_in_text_and_html():
    wrong, right = fresh("dice-or-iou").answer("b"), fresh("dice-or-iou").answer("c")
    assert repr(wrong).startswith("✗ b: wrong\n  Size does not enter.")
    assert repr(right).startswith("✓ c: right\n")
    assert "✗ b: wrong" in wrong._repr_html_()
    assert "<code>Dice = 2·IoU / (1 + IoU)</code>" in wrong._repr_html_()


def test_attempts_are_kept_and_shown_once():
    asked = fresh("dice-or-iou")
    for key in "babc":
        assert not asked.solved
        asked.answer(key)
    assert asked.solved
    assert [feedback.given for feedback in asked.attempts] == ["b", "a", "b", "c"]
    assert [feedback.given for feedback in asked.tried()] == ["b", "a", "c"]


# ---- the static fallback --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [question.id for question in SHIPPED])
def test_the_fallback_has_the_question_and_how_to_answer_and_no_reason(id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = fresh(id)
    fallback = asked._repr_mimebundle_()
    assert set(fallback) == {"text/plain", "text/html"}  # no kernel here, so no widget
    text = " ".join(fallback["text/plain"].split())
    assert markup.as_text(asked.question.text) in text
    for shown in fallback.values():
        assert f'quiz("{id}").answer(' in shown
        assert not any(secret in " ".join(shown.split()) for secret in secrets_of(asked.question))
    for option in asked.question.options:
        assert f"{option.key}) {markup.as_text(option.text)}" in text


def test_the_fallback_shows_what_was_tried():
    asked = fresh("dice-or-iou")
    asked.answer("b")
    for shown in asked._repr_mimebundle_().values():
        assert "✗ b: wrong" in shown
        assert "Size does not enter." in shown


def test_texts_are_escaped():
    question = Question("x", "test", "numeric", "Is `a<b` & <i>2*3*4</i>?", answer=1.0, why="<b>", otherwise="?")
    shown = Quiz(question).as_html()
    assert "Is <code>a&lt;b</code> &amp; &lt;i&gt;" in shown
    assert ">&lt;b&gt;</p>" in Quiz(question).answer(1).inner_html()


def secrets_of(question: Question) -> list[str]:
    whys = [option.why for option in question.options] + [near.why for near in question.near]
    known = [*whys, *([question.why, question.otherwise] if question.kind == "numeric" else [])]
    return [why for why in known if why]  # a graded question has none


# ---- the front end's state ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [question.id for question in SHIPPED])
def test_the_page_knows_no_key_before_an_answer(id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nothing was answered yet
    asked = fresh(id)
    state = page_state(QuizFrontEnd(asked))
    assert set(state["question"]) == {"kind", "html", "how", "options", "graded"}
    assert all(set(option) == {"key", "html"} for option in state["question"]["options"])
    assert (state["tried"], state["reply"], state["chosen"]) == ([], {}, "")
    for secret in secrets_of(asked.question):
        assert secret not in str(state)
        assert markup.as_html(secret) not in str(state)


def test_the_page_gets_the_reason_of_the_answer_and_no_other():
    asked = fresh("dice-or-iou")
    front = QuizFrontEnd(asked)
    asked._front_end = front
    receive(front, "b")
    written = json.dumps(page_state(front), ensure_ascii=False)
    assert "Size does not enter" in written
    assert "An IoU of 0.50" not in written
    assert page_state(front)["tried"][0]["mark"] == "✗ wrong"


def test_an_answer_that_is_none_is_said_on_the_page_each_time():
    asked = fresh("iou-by-hand")
    asked._front_end = front = QuizFrontEnd(asked)
    replies = []
    for _ in range(2):
        receive(front, "<b>")
        replies.append(dict(front.reply))
    assert [reply["verdict"] for reply in replies] == ["unread", "unread"]
    assert "&lt;b&gt; is not a number" in replies[0]["html"]
    assert replies[0] != replies[1]  # otherwise the page would not hear of the second
    assert asked.attempts == []


def test_a_front_end_made_after_answers_shows_them():
    asked = fresh("dice-or-iou")
    asked.answer("b")
    assert [entry["given"] for entry in QuizFrontEnd(asked).tried] == ["b"]


def page_state(front: QuizFrontEnd) -> dict:
    return {name: front.get_state()[name] for name in ("question", "chosen", "tried", "reply")}


def receive(front: QuizFrontEnd, answer: str) -> None:
    """What arrives when the student presses Check."""
    front._handle_custom_msg({"answer": answer}, [])


# ---- what an author is told -----------------------------------------------------------------------------------------

GOOD = """
- id: one
  kind: single
  question: Which?
  options:
    - {key: a, text: this, right: true, why: Because.}
    - {key: b, text: that, right: false, why: Because not.}
- id: two
  kind: multiple
  question: Which ones?
  options:
    - {key: a, text: this, right: true, why: Because.}
    - {key: b, text: that, right: false, why: No.}
    - {key: c, text: those, right: true, why: Because too.}
- id: three
  kind: numeric
  question: How many?
  answer: 3
  tolerance: 0.5
  why: Three.
  near:
    - {number: 5, why: Two too many.}
  otherwise: Count again.
"""


def problems_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "01_test.yaml"
    path.write_text(text, encoding="utf-8")
    return problems([path])


def test_a_good_file_has_no_problems_and_loads(tmp_path):
    assert problems_of(tmp_path, GOOD) == []
    kinds = [question.kind for question in questions.load(tmp_path / "01_test.yaml")]
    assert kinds == ["single", "multiple", "numeric"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("right: true", "right: false", "one: 0 options are right"),
        ("right: false", "right: true", "one: 2 options are right"),
        ("that, right: false, why: No.}", "that, right: true, why: No.}", "two: 3 of 3 options are right"),
        (", why: Because.}", "}", "one: option a: why is missing"),
        ("why: Because.}", "why: ''}", "one: option a: why is '', expected text"),
        ("id: two", "id: one", "one: the id is already taken in 01_test.yaml"),
        ("id: one", "id: One thing", "id is 'One thing', expected lower-case words"),
        ("text: that", "text: '`This` '", "one: two options say 'this'"),
        ("key: b", "key: c", "one: option b: key is 'c', expected 'b'"),
        ("why: Because.}", "why: Because., hint: x}", "one: option a: unknown key 'hint'"),
        ("  question: Which?", "  question: Which?\n  points: 3", "one: unknown key 'points'"),
        ("  question: Which?\n", "", "one: question is missing"),
        ("kind: single", "kind: sinlge", "one: kind is 'sinlge', expected one of single, multiple, numeric"),
        ("right: true", "right: 'yes'", "one: option a: right is 'yes', expected true or false"),
        ("text: this", "text: 5", "one: option a: text is 5, expected text; put it in quotes"),
        ("answer: 3", "answer: three", "three: answer is 'three', expected a number"),
        ("tolerance: 0.5", "tolerance: -1", "three: tolerance is negative"),
        ("tolerance: 0.5", "tolerance: 1", "three: near 5 cannot be told from the answer with tolerance 1"),
        ("number: 5, why: Two too many.", "number: 5", "three: near 1: why is missing"),
        ("  otherwise: Count again.\n", "", "three: otherwise is missing"),
        ("- id: one", "- 5\n- id: one", "01_test.yaml, question 1: expected a mapping"),
        ("kind: single", "kind: [single", "01_test.yaml: not YAML"),
    ],
)
def test_each_mistake_of_an_author_is_named(tmp_path, old, new, expected):
    assert old in GOOD
    found = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("01_test.yaml") for problem in found)


@pytest.mark.parametrize("text", ["", "5", "id: one", "[]"])
def test_a_file_that_is_no_list_is_named(tmp_path, text):
    assert problems_of(tmp_path, text) == ["01_test.yaml: expected a list of questions"]


def test_ids_are_unique_over_files(tmp_path):
    paths = [tmp_path / "01.yaml", tmp_path / "02.yaml"]
    for path in paths:
        path.write_text(GOOD, encoding="utf-8")
    assert problems(paths)[0] == "02.yaml, one: the id is already taken in 01.yaml"
    assert len(problems(paths)) == 3


def test_a_file_with_problems_does_not_load(tmp_path):
    (tmp_path / "01.yaml").write_text(GOOD.replace("id: two", "id: one"), encoding="utf-8")
    with pytest.raises(ValueError, match="already taken"):
        questions.load(tmp_path / "01.yaml")
