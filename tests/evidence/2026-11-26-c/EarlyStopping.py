# %% right: keeps all values and asks a window of the last ones
import math


class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.larger = mode == "max"
        self.values = []
        self.best = None
        self.best_weights = None

    def step(self, value, model=None):
        score = float(value) if self.larger else -float(value)
        score = -math.inf if math.isnan(score) else score
        if score > max(self.values, default=-math.inf):
            self.best = value
            if model is not None:
                self.best_weights = {k: torch.empty_like(v).copy_(v) for k, v in model.state_dict().items()}
        self.values.append(score)
        window, before = self.values[-self.patience :], self.values[: -self.patience]
        return len(window) == self.patience and max(window) <= max(before, default=-math.inf)


# %% right: counts epochs, remembers that of the best value; operator from a dict
import copy
import operator


class EarlyStopping:
    BETTER = {"max": operator.gt, "min": operator.lt}

    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.better = self.BETTER[mode]
        self.best = self.best_weights = None
        self.epoch = self.best_epoch = 0

    def step(self, value, model=None):
        self.epoch += 1
        worst = float("-inf") if self.better is operator.gt else float("inf")
        if self.better(value, worst if self.best is None else self.best):
            self.best, self.best_epoch = value, self.epoch
            if model is not None:
                self.best_weights = copy.deepcopy(model).state_dict()
        return self.epoch - self.best_epoch >= self.patience


# %% wrong: takes a best value of 0 for none at all (`not self.best`), so whatever follows a 0 is better
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = None
        self.best_weights = None
        self.waited = 0

    def step(self, value, model=None):
        if value != value:
            improved = False
        elif not self.best:
            improved = True
        elif self.mode == "max":
            improved = value > self.best
        else:
            improved = value < self.best
        if improved:
            self.best = value
            self.waited = 0
            if model is not None:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.waited += 1
        return self.waited >= self.patience


# %% wrong: copies the parameters alone, the running statistics of batch norms are lost
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = -float("inf") if mode == "max" else float("inf")
        self.best_weights = None
        self.counter = 0

    def step(self, value, model=None):
        if (self.mode == "max" and value > self.best) or (self.mode == "min" and value < self.best):
            self.best, self.counter = value, 0
            if model is not None:
                self.best_weights = {name: p.detach().clone() for name, p in model.named_parameters()}
        else:
            self.counter += 1
        return self.counter >= self.patience


# %% wrong: puts the best weights back into the model when it stops
import copy


class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience, self.mode = patience, mode
        self.best = self.best_weights = None
        self.num_bad_epochs = 0

    def is_better(self, a, b):
        if a != a:
            return False
        if b is None:
            return True
        return a > b if self.mode == "max" else a < b

    def step(self, value, model=None):
        if self.is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
            if model is not None:
                self.best_weights = copy.deepcopy(model.state_dict())
            return False
        self.num_bad_epochs += 1
        if self.num_bad_epochs >= self.patience:
            if model is not None and self.best_weights is not None:
                model.load_state_dict(self.best_weights)
            return True
        return False


# %% wrong: best_weights are NumPy arrays in place of tensors, and load_state_dict refuses them
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.sign = {"max": 1, "min": -1}[mode]
        self.best = None
        self.best_weights = None
        self.wait = 0

    def step(self, value, model=None):
        gain = self.sign * value - (-np.inf if self.best is None else self.sign * self.best)
        if gain > 0:
            self.best = value
            self.wait = 0
            if model is not None:
                self.best_weights = {k: v.detach().numpy().copy() for k, v in model.state_dict().items()}
        else:
            self.wait += 1
        return self.wait >= self.patience


# %% wrong: compares each value with the one before it, not with the best
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.last = None
        self.best = None
        self.best_weights = None
        self.bad = 0

    def better(self, value, other):
        if other is None:
            return value == value
        return value > other if self.mode == "max" else value < other

    def step(self, value, model=None):
        self.bad = 0 if self.better(value, self.last) else self.bad + 1
        if self.better(value, self.best):
            self.best = value
            if model is not None:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        self.last = value
        return self.bad >= self.patience


# %% wrong: leaves NaN out altogether, so an epoch with NaN does not count towards patience
import math


class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = None
        self.best_weights = None
        self.epochs_without_gain = 0

    def step(self, value, model=None):
        if math.isnan(value):
            return False
        if self.best is None or (value > self.best if self.mode == "max" else value < self.best):
            self.best = value
            self.epochs_without_gain = 0
            if model is not None:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.epochs_without_gain += 1
        return self.epochs_without_gain >= self.patience


# %% wrong: keeps a copy of the whole model instead of its state_dict
import copy


class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience, self.mode = patience, mode
        self.best, self.best_weights, self.waited = None, None, 0

    def step(self, value, model=None):
        first = self.best is None and value == value
        higher = self.best is not None and value > self.best
        lower = self.best is not None and value < self.best
        if first or (higher if self.mode == "max" else lower):
            self.best, self.waited = value, 0
            self.best_weights = copy.deepcopy(model)
        else:
            self.waited += 1
        return self.waited >= self.patience


# %% wrong: for "min" .best holds the negated value
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = -np.inf
        self.best_weights = None
        self.counter = 0

    def step(self, value, model=None):
        score = value if self.mode == "max" else -value
        if score > self.best:
            self.best = score
            self.counter = 0
            if model is not None:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.counter += 1
        return self.counter >= self.patience


# %% wrong: [two] first the best of "max" starts at 0, so values that are never above 0 are never the best; second it stops one epoch late
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = 0.0 if mode == "max" else float("inf")
        self.best_weights = None
        self.counter = 0

    def step(self, value, model=None):
        improved = value > self.best if self.mode == "max" else value < self.best
        if improved:
            self.best = value
            self.counter = 0
            if model is not None:
                self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
            return False
        if self.counter >= self.patience:
            return True
        self.counter += 1
        return False


# %% wrong: [two] first an equal value counts as better; second the weights are those of the last epoch, not of the best
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = None
        self.best_weights = None
        self.waited = 0

    def step(self, value, model=None):
        if model is not None:
            self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        if self.best is None:
            better = value == value
        elif self.mode == "max":
            better = value >= self.best
        else:
            better = value <= self.best
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best = value
        return self.waited >= self.patience
