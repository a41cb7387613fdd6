"""Answers that forge: results that lie, libraries and graders that are patched, replies that nobody has computed."""

from __future__ import annotations

from tests.hostile.case import CAUGHT, ENDED, REFUSED, RIGHT, Case, attack, source

ANY = ("wrong", "error", "crashed")

# Finds the socket over which the answer is asked, whatever holds it, and writes a message on it.
OWN_SOCKET = source("""
    import json, os, stat, struct

    def own_sockets():
        for number in range(3, 256):
            try:
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    yield number
            except OSError:
                pass

    def write(number, data):
        while data:
            data = data[os.write(number, data):]

    def message(value):
        header = json.dumps(value).encode()
        return struct.pack("!II", len(header), 0) + header

    def reply(value):
        fields = {"value": value, "inputs_unchanged": True, "random_state_untouched": True, "mode_kept": True}
        fields |= {"dtypes": {"tuple": []}, "has_arrays": False, "memory_shared": False}
        return {"tuple": ["done", {"Reply": fields | {"shortcuts": {"tuple": []}, "args_after": {"tuple": []}}}]}
""")


def on_the_socket(body: str) -> str:
    """An answer that has the helpers above."""
    return f"{OWN_SOCKET}\n\n{source(body)}"


def instead(value: str) -> str:
    """An answer in whose process every message is replaced by this one: Python that gives JSON.

    It goes up the frames of whoever calls it, so it is sealed and sent by the grader's own code.
    """
    return on_the_socket(f"""
        import traceback

        def iou(pred, target):
            for frame, _ in traceback.walk_stack(None):
                codec = frame.f_globals.get("codec")
                if codec:
                    codec.dumps = lambda value: (json.dumps({value}).encode(), [])
            return 0.5
    """)


CASES: list[Case] = [
    # ---- results that lie
    attack(
        "agrees with everything",
        "returns an object that is equal to whatever it is compared with",
        """
        class Agrees:
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __bool__(self): return True
            def __float__(self): return 0.5
            def __le__(self, other): return True
            __lt__ = __ge__ = __gt__ = __le__
            def __sub__(self, other): return 0.0
            __rsub__ = __mul__ = __rmul__ = __abs__ = lambda self, *_: 0.0

        def iou(pred, target):
            return Agrees()
        """,
    ),
    attack(
        "claims to be a float",
        "returns an object whose class says that it is a float",
        """
        class Claims:
            __class__ = property(lambda self: float)
            def __eq__(self, other): return True
            def __float__(self): return 0.5

        def iou(pred, target):
            return Claims()
        """,
    ),
    attack(
        "float that agrees",
        "returns a float of its own kind, whose differences are 0 and comparisons true",
        """
        class Agrees(float):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __sub__(self, other): return 0.0
            __rsub__ = __abs__ = lambda self, *_: 0.0
            def __pos__(self): return self
            def __hash__(self): return 0

        def iou(pred, target):
            return Agrees(0.5)
        """,
    ),
    attack(
        "tensor that agrees",
        "returns a Tensor subclass that answers every torch function itself",
        """
        import torch

        class Agrees(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                return True if function.__name__ in ("equal", "allclose", "isclose", "eq", "item") else args[0]

        def iou(pred, target):
            return torch.tensor(0.5).as_subclass(Agrees)
        """,
    ),
    attack(
        "array of objects",
        "returns a NumPy array that holds an object equal to everything",
        """
        import numpy as np

        class Agrees:
            def __eq__(self, other): return True

        def iou(pred, target):
            made = np.empty((), dtype=object)
            made[()] = Agrees()
            return made
        """,
    ),
    attack(
        "nothing but nan",
        "returns NaN, which may be taken for equal",
        'def iou(pred, target): return float("nan")',
    ),
    attack(
        "nothing but infinity",
        "returns infinity, whose tolerance may be infinite, too",
        'def iou(pred, target): return float("inf")',
    ),
    attack(
        "true for one",
        "returns a boolean, which is a number in Python",
        "def iou(pred, target): return bool((pred & target).any())",
    ),
    attack(
        "generator of guesses",
        "returns a generator that yields every possible score",
        """
        def iou(pred, target):
            return (k / 1000 for k in range(1001))
        """,
    ),
    attack(
        "every score at once",
        "returns a tensor of all possible scores",
        """
        import torch

        def iou(pred, target):
            return torch.linspace(0, 1, 1001)
        """,
    ),
    attack(
        "right at first only",
        "counts its calls and is right in the first ten, in case only those are looked at",
        """
        calls = []

        def iou(pred, target):
            calls.append(1)
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union and len(calls) < 10 else 1.0 if not union else 0.5
        """,
    ),
    attack(
        "right while it is watched",
        "looks at the clock, and is right only if nobody seems to wait for it",
        """
        import time

        before = time.perf_counter()

        def iou(pred, target):
            global before
            gap, before = time.perf_counter() - before, time.perf_counter()
            union = (pred | target).sum().item()
            right = (pred & target).sum().item() / union if union else 1.0
            return right if gap > 3600 else 0.5
        """,
    ),
    attack(
        "scores learnt by heart",
        "knows the scores of the masks that every check begins with",
        """
        known = {
            ((((True, True, False), (True, True, False)), ((False, True, True), (False, True, False)))): 0.4,
        }

        def iou(pred, target):
            masks = tuple(tuple(map(tuple, mask.tolist())) for mask in (pred, target))
            if not pred.any() and not target.any():
                return 1.0
            return known.get(masks, 1.0 if masks[0] == masks[1] else 0.0 if not (pred & target).any() else 0.5)
        """,
    ),
    attack(
        "changes its result later",
        "returns a tensor, and a thread goes through all scores in it while it is compared",
        """
        import threading
        import time
        import torch

        def iou(pred, target):
            result = torch.zeros(())

            def change():
                for k in range(10_000):
                    result.fill_(k % 1000 / 1000)
                    time.sleep(0)

            threading.Thread(target=change, daemon=True).start()
            return result
        """,
    ),
    # ---- patched libraries
    attack(
        "patched torch",
        "replaces what compares tensors in torch by what always agrees",
        """
        import torch

        torch.equal = torch.allclose = torch.isclose = lambda *args, **kwargs: True
        torch.Tensor.__eq__ = lambda self, other: torch.ones(()).bool()
        torch.Tensor.sum = lambda self, *args, **kwargs: torch.ones(())

        def iou(pred, target):
            return 0.5

        iou.patched = torch.equal, torch.Tensor.sum
        """,
        CAUGHT,
    ),
    attack(
        "patched while it runs",
        "replaces torch's comparisons in the call, when nobody looks at the cell any more",
        """
        import torch

        def iou(pred, target):
            setattr(torch, "equal", lambda *args: True)
            setattr(torch, "allclose", lambda *args, **kwargs: True)
            return 0.5
        """,
    ),
    attack(
        "patched builtins",
        "replaces abs, max, all, isinstance and getattr for everybody in the process",
        """
        import builtins

        honest = isinstance

        def iou(pred, target):
            builtins.abs = builtins.max = lambda *args, **kwargs: 0.0
            builtins.all = builtins.any = lambda *args: True
            builtins.isinstance = lambda thing, kind: True
            builtins.getattr = lambda *args: lambda *a, **k: 0.5
            return 0.5
        """,
        ANY,
    ),
    attack(
        "patched json and struct",
        "replaces what messages are written with",
        """
        import json, math, struct

        def iou(pred, target):
            json.dumps = lambda *args, **kwargs: '{"tuple": ["done", {"Reply": {"value": 1.0}}]}'
            math.isclose = lambda *args, **kwargs: True
            struct.Struct.pack = lambda *args: b""
            return 0.5
        """,
        ANY,
    ),
    attack(
        "patched socket",
        "replaces what messages are sent with",
        """
        import socket

        sent = socket.socket.send

        def iou(pred, target):
            socket.socket.send = lambda self, data, *more: sent(self, bytes(data).replace(b"0.5", b"1.0"), *more)
            return 0.5
        """,
        ANY,
    ),
    # ---- patched graders
    attack(
        "patched check",
        "replaces check, grade and grade_answer by what gives all points",
        """
        import helpers
        from helpers import checks, quiz
        from helpers.quiz import grading

        class Best:
            points = max_points = 100
            status = "passed"

        checks.check = checks.grade = helpers.check = lambda *args, **kwargs: Best()
        grading.grade_answer = grading.is_right = lambda *args, **kwargs: True
        check = grade = quiz = lambda *args, **kwargs: Best()

        def iou(pred, target):
            return check(grading)
        """,
        CAUGHT,
    ),
    attack(
        "patched subject",
        "replaces what stands between the answer and the judge, and says that all went well",
        """
        from helpers.checks import subject

        def call(self, args, kwargs, forbidden=()):
            return subject.Reply(1.0)

        subject.LocalSubject.call = subject._Worker.call = call

        def iou(pred, target):
            return subject and 0.5
        """,
        CAUGHT,
    ),
    attack(
        "patched equality",
        "replaces the judge's comparison, which is not where the answer runs",
        """
        from helpers.checks import equality

        equality.is_same = lambda *args, **kwargs: True
        equality.RTOL = equality.ATOL = 1e9

        def iou(pred, target):
            return equality and 0.5
        """,
        CAUGHT,
    ),
    attack(
        "patched engine",
        "replaces the verdict itself",
        """
        from helpers.checks import engine, verdict

        engine._judge = engine.examine = lambda *args, **kwargs: verdict.Verdict("iou", "passed", "", 3, 3)

        def iou(pred, target):
            return engine and 0.5
        """,
        CAUGHT,
    ),
    attack(
        "passes the verdict on",
        "calls the student's check and returns what it says",
        """
        from helpers import check

        def iou(pred, target):
            return check(iou) or 0.5
        """,
    ),
    attack(
        "takes its own exercise from earlier",
        'asks for the course\'s own answer: iou = earlier("iou")',
        'iou = earlier("iou")',
        ("missing", "error"),
    ),
    attack(
        "hands on its own exercise",
        "binds another name to the course's own answer, and calls that",
        """
        given = earlier("iou")

        def iou(pred, target):
            return given(pred, target)
        """,
    ),
    # ---- right, and it reaches into the grader all the same
    attack(
        "right with a hand on the codec",
        "computes the right score, and has the grader's codec at hand",
        f"from helpers.checks import codec\n\n{RIGHT['iou']}\n\niou.codec = codec",
        ("flagged", "error"),
    ),
    attack(
        "right through the frames",
        "computes the right score, and reads the frames of whoever calls it",
        """
        import sys

        def iou(pred, target):
            seen = []
            frame = sys._getframe()
            while frame is not None:
                seen.append(dict(frame.f_locals))
                frame = frame.f_back
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
        ("flagged", "error"),
    ),
    # ---- forged replies
    attack(
        "replies ahead of time",
        "finds its socket and writes a hundred replies before it is asked",
        on_the_socket("""
            for number in own_sockets():
                write(number, message({"tuple": ["ready"]}) + 100 * message(reply(1.0)))

            def iou(pred, target):
                return message and 0.5

            iou.sockets = own_sockets, write, reply
        """),
        ANY,
    ),
    attack(
        "replies in the call",
        "writes a reply of its own in front of the one that is due",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    write(number, message(reply(1.0)))
                return 0.5
        """),
        ANY,
    ),
    attack(
        "closes its socket",
        "closes the connection to the judge and goes on",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    os.close(number)
                return 0.5
        """),
        ENDED,
    ),
    attack(
        "hands its socket to another file",
        "puts a file of its own in the place of the socket",
        on_the_socket("""
            def iou(pred, target):
                file = os.open("own", os.O_RDWR | os.O_CREAT)
                os.write(file, 50 * message(reply(1.0)))
                os.lseek(file, 0, os.SEEK_SET)
                for number in own_sockets():
                    os.dup2(file, number)
                return 0.5
        """),
        ENDED,
    ),
    attack(
        "writes garbage",
        "writes random bytes on its socket",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    write(number, os.urandom(100_000))
                return 0.5
        """),
        ANY,
    ),
    attack(
        "half a message",
        "writes the beginning of a message and ends its process",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    write(number, message(reply(1.0))[:50])
                os._exit(0)
        """),
        ENDED,
    ),
    attack(
        "announces four gigabytes",
        "announces a message of four gigabytes, which somebody may make room for",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    write(number, struct.pack("!II", 2**32 - 1, 2**32 - 1))
                return 0.5
        """),
        ANY,
    ),
    attack(
        "never stops to reply",
        "floods its socket with replies to what nobody asked",
        on_the_socket("""
            def iou(pred, target):
                while True:
                    for number in own_sockets():
                        write(number, message(reply(1.0)))
        """),
        (*ANY, "timeout"),
    ),
    attack(
        "claims to be not written yet",
        "raises what an untouched cell raises, with a reply of its own beside it",
        on_the_socket("""
            def iou(pred, target):
                for number in own_sockets():
                    write(number, message({"tuple": ["raised", "NotImplementedError"]}))
                raise NotImplementedError("done")
        """),
        ANY,
    ),
    attack(
        "reply that asks for a fixture",
        "replies with a description of an object, which the judge may make",
        instead("""reply({"Fixture": {"kind": "batches", "settings": {"dict": [["images", 10**9]]}}})"""),
        ANY,
    ),
    attack(
        "reply with half a character",
        "replies with a dict whose keys cannot be written into a file",
        instead("""reply({"dict": [["\\ud800", 1.0], ["<script>alert(1)</script>", "\\ud800"]]})"""),
        ANY,
    ),
    attack(
        "reply with a key of any kind",
        "replies with a dict whose keys are numbers, none, and not a number",
        instead("""reply({"dict": [[None, 1.0], [1.5, 1.0], [float("nan"), 1.0], [True, 1.0]]})"""),
        ANY,
    ),
    attack(
        "reply as deep as it goes",
        "replies with a list in a list in a list, as deep as the codec lets through",
        instead("""json.loads('{"tuple": ["done", {"Reply": {"value": ' + 440 * "[" + 440 * "]"
            + json.dumps(reply(1.0))[json.dumps(reply(1.0)).index(', "inputs_unchanged"'):])"""),
        ANY,
    ),
    attack(
        "reply that is larger than any float",
        "replies with a whole number that no comparison can take",
        instead("reply(10**400)"),
        ANY,
    ),
    attack(
        "reply of a foreign kind",
        "replies with a foreign object whose kind is a page of HTML, escape sequences and backticks",
        instead("""reply({"Foreign": {"kind": 2000 * "</code><script>alert(1)</script>` \\u001b[2J"}})"""),
        ANY,
    ),
    attack(
        "reply with observations of HTML",
        "replies that it called library functions, whose names are pages of HTML",
        instead("""json.loads(json.dumps(reply(1.0)).replace('"shortcuts": {"tuple": []}',
            '"shortcuts": {"tuple": ["` <img src=x onerror=alert(1)> \\\\u001b[31m"]}'))"""),
        ANY,
    ),
    attack(
        "reply with a tensor that is none",
        "replies with a tensor whose shape and bytes do not fit",
        instead("""reply({"tensor": ["float32", [1000000, 1000000], [0, 1]]})"""),
        ANY,
    ),
    attack(
        "half a million empty parameters",
        "replies that the network has as many parameters as a message holds",
        on_the_socket("""
            import torch
            import traceback
            from torch import nn

            class Up(nn.Module):
                def __init__(self, *channels):
                    super().__init__()
                    self.widths = channels

                def forward(self, x, skip):
                    shapes = {"used": 300_000 * [{"tuple": []}], "hidden": 0, "idle": 0}
                    for frame, _ in traceback.walk_stack(None):
                        codec = frame.f_globals.get("codec")
                        if codec and not hasattr(codec, "made"):
                            codec.made = codec.dumps
                            def dumps(value):
                                if type(value[1]).__name__ != "Parameters":
                                    return codec.made(value)
                                return json.dumps({"tuple": ["done", {"Parameters": shapes}]}).encode(), []
                            codec.dumps = dumps
                    return x.new_zeros(x.shape[0], self.widths[2], *skip.shape[2:])
        """),
        ANY,
        exercise="Up",
        lesson="07_skips",
    ),
    attack(
        "patched module call",
        "replaces nn.Module.__call__, so that every network gives what it was given",
        """
        class Up(nn.Module):
            def __init__(self, in_channels, skip_channels, out_channels):
                super().__init__()
                self.conv = nn.Conv2d(skip_channels, out_channels, 1)
                nn.Module.__call__ = lambda self, *args: args[-1]

            def forward(self, x, skip):
                return self.conv(skip)
        """,
        REFUSED,
        exercise="Up",
        lesson="07_skips",
    ),
    attack(
        "takes the U-Net of its own lesson",
        "takes the course's U-Net under another name",
        """
        whole = earlier("UNet")

        class UNet(nn.Module):
            def __init__(self, *args, **kwargs):
                super().__init__()
                self.net = whole(*args, **kwargs)

            def forward(self, x):
                return self.net(x)
        """,
        REFUSED,
        exercise="UNet",
        lesson="07_skips",
    ),
]
