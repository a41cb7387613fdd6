# %% right: keeps the whole history and looks up how long ago the best was, with a sign instead of two modes
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.sign = 1.0 if mode == "max" else -1.0
        self.history = []
        self.champion = None          # index of the best epoch
        self.best = None
        self.best_weights = None

    def step(self, value, model=None):
        import copy

        value = float(value)
        self.history.append(value)
        now = len(self.history) - 1
        is_number = value == value
        if is_number and (self.champion is None or self.sign * value > self.sign * self.best):
            self.champion, self.best = now, value
            self.best_weights = None if model is None else copy.deepcopy(model.state_dict())
        last_good = -1 if self.champion is None else self.champion
        return now - last_good >= self.patience
# %% wrong: state_dict().copy() copies only the dict, its tensors are the model's own, so the best weights change with every further training step
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = float("-inf") if mode == "max" else float("inf")
        self.best_weights = None
        self.bad_epochs = 0

    def step(self, value, model=None):
        value = float(value)
        better = value > self.best if self.mode == "max" else value < self.best
        if better:
            self.best = value
            self.bad_epochs = 0
            if model is not None:
                self.best_weights = model.state_dict().copy()
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience
# %% wrong: asks whether the value is worse or equal and takes everything else as better, so NaN becomes the best, and after it every value does
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience, self.mode = patience, mode
        self.best = None
        self.best_weights = None
        self.wait = 0

    def step(self, value, model=None):
        value = float(value)
        if self.best is None:
            not_better = False
        elif self.mode == "max":
            not_better = value <= self.best
        else:
            not_better = value >= self.best

        if not_better:
            self.wait += 1
            return self.wait >= self.patience

        self.wait = 0
        self.best = value
        if model is not None:
            self.best_weights = {name: t.detach().clone() for name, t in model.state_dict().items()}
        return self.wait >= self.patience
# %% wrong: counts an epoch as good when it beats the epoch before it, not the best so far, so values that creep up again after a fall (5, 1, 2, 3, ...) never stop it
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.maximise = (mode == "max")
        self.best = None
        self.best_weights = None
        self._previous = None
        self._count = 0

    def _beats(self, a, b):
        if a != a:
            return False          # NaN
        if b is None or b != b:
            return True
        return a > b if self.maximise else a < b

    def step(self, value, model=None):
        from copy import deepcopy
        value = float(value)
        if self._beats(value, self.best):
            self.best = value
            if model is not None:
                self.best_weights = deepcopy(model.state_dict())
        if self._beats(value, self._previous):
            self._count = 0
        else:
            self._count += 1
        self._previous = value
        return self._count >= self.patience
