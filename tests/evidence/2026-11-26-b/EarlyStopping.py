# %% right: perfectionist, deep copy and a counter of bad epochs
import copy

class EarlyStopping:
    def __init__(self, patience, mode="max"):
        if mode not in ("max", "min"):
            raise ValueError(mode)
        self.patience = patience
        self.mode = mode
        self.best = None
        self.best_weights = None
        self.bad_epochs = 0

    def _is_better(self, value):
        if value != value:                      # NaN
            return False
        if self.best is None:
            return True
        return value > self.best if self.mode == "max" else value < self.best

    def step(self, value, model=None):
        if self._is_better(value):
            self.best = value
            self.best_weights = copy.deepcopy(model.state_dict()) if model is not None else None
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

# %% wrong: best_weights is no copy: dict(state_dict()) holds the very tensors of the model, so it changes as the training goes on.
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.sign = 1 if mode == "max" else -1
        self.best = None
        self.best_weights = None
        self.counter = 0

    def step(self, value, model=None):
        if self.best is None and value == value or self.best is not None and self.sign * value > self.sign * self.best:
            self.best = value
            self.counter = 0
            if model is not None:
                self.best_weights = dict(model.state_dict())
            return False
        self.counter += 1
        return self.counter >= self.patience

# %% wrong: A NaN counts as better, because "better" is written as not (value is worse or equal), which is true of NaN: it becomes the best, and after it any value, however bad, is better again.
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience, self.mode = patience, mode
        self.best = float("-inf") if mode == "max" else float("inf")
        self.best_weights = None
        self.wait = 0

    def step(self, value, model=None):
        worse = value <= self.best if self.mode == "max" else value >= self.best
        if not worse:
            self.best = value
            self.wait = 0
            if model:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.wait += 1
        return self.wait >= self.patience

# %% wrong: The counter of bad values is not set back to 0 when a better one comes, so bad values that are not in a row add up and it stops too early.
class EarlyStopping:
    def __init__(self, patience=7, mode="max"):
        self.patience = patience
        self.mode = mode
        self.counter = 0
        self.best = None
        self.best_weights = None

    def step(self, value, model=None):
        value = float(value)
        if np.isnan(value):
            improved = False
        elif self.best is None:
            improved = True
        elif self.mode == "max":
            improved = value > self.best
        else:
            improved = value < self.best

        if improved:
            self.best = value
            if model is not None:
                self.best_weights = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        else:
            self.counter += 1
            print(f"EarlyStopping counter: {self.counter} out of {self.patience}")
        return self.counter >= self.patience
