# %% right: sign trick, best is None until a real value comes, deep copy of the weights
import copy
import math


class EarlyStopping:
    def __init__(self, patience, mode="max"):
        if mode not in ("max", "min"):
            raise ValueError(f"mode must be 'max' or 'min', not {mode!r}")
        self.patience = patience
        self.sign = 1.0 if mode == "max" else -1.0
        self.best = None
        self.best_weights = None
        self.waited = 0

    def step(self, value, model=None):
        value = float(value)
        first = self.best is None and not math.isnan(value)
        if first or (self.best is not None and self.sign * value > self.sign * self.best):
            self.best = value
            self.waited = 0
            if model is not None:
                self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience


# %% wrong: keeps a shallow copy of the state_dict whose tensors are the model's own, so best_weights changes along with the training
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = -np.inf if mode == "max" else np.inf
        self.best_weights = None
        self.bad_epochs = 0

    def step(self, value, model=None):
        better = value > self.best if self.mode == "max" else value < self.best
        if better:
            self.best = value
            self.bad_epochs = 0
            if model is not None:
                self.best_weights = dict(model.state_dict())
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


# %% wrong: asks whether the value is worse or equal and takes all the rest for better, so NaN counts as a new best
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience, self.mode = patience, mode
        self.best, self.best_weights, self.counter = None, None, 0

    def step(self, value, model=None):
        if self.best is not None and (
            (self.mode == "max" and value <= self.best) or (self.mode == "min" and value >= self.best)
        ):
            self.counter += 1
            return self.counter >= self.patience
        self.best = value
        self.counter = 0
        if model is not None:
            self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}
        return False


# %% wrong: [two] first the counter is not reset by a better value, so bad epochs need not be in a row; second it stops only after patience + 1 of them (> instead of >=)
class EarlyStopping:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.mode = mode
        self.best = float("-inf") if mode == "max" else float("inf")
        self.best_weights = None
        self.count = 0

    def step(self, value, model=None):
        improved = (value > self.best) if self.mode == "max" else (value < self.best)
        if not improved:
            self.count += 1
            if self.count > self.patience:
                return True
            return False
        self.best = value
        if model is not None:
            self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
        return False
