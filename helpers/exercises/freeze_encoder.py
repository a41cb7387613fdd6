"""Lesson 10: `freeze_encoder(model)`."""

from torch import nn
from torchvision.ops.misc import FrozenBatchNorm2d

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.baseline import freeze_encoder


@exercise(
    freeze_encoder,
    lesson="10_baseline",
    concept="Frozen weights",
    points=5,
    minutes=13,
    difficulty=4,
    hints=[
        "Two things move in training: parameters, by their gradients, and the running statistics of each batch norm, "
        "by the data. What stops the one does not stop the other.",
        "`requires_grad_(False)` works on a parameter and on a whole module. A batch norm stands still in evaluation "
        "mode. What does the next `model.train()` do to that?",
        "`model.train(mode)` calls `train(mode)` of every part. Give the encoder a `train` of its own that always ends "
        "in evaluation mode: a method can be assigned to one object.",
    ],
    task=(
        "Change `model`, a network with an `encoder`, in place, so that training leaves its encoder as it is: none "
        "of the encoder's parameters has `requires_grad`, and its batch norms neither update their running "
        "statistics nor use those of the batch, also after `model.train()` is called again. The rest of the model "
        "keeps learning. What you return does not matter."
    ),
)
def probes(draw):
    """Networks with an encoder, mostly with batch norms in it. After the call each is trained for a step."""
    yield _step(draw, 1, 1)
    yield _step(draw, 3, 2, training=False)
    yield _step(draw, 2, draw.size(3, 5), norms=False)  # what is wrong with parameters shows alone


edit = edits_of(freeze_encoder)


def _step(draw, channels, classes, training=True, norms=True):
    settings = {"in_channels": channels, "num_classes": classes, "training": training, "norms": norms}
    network = Fixture("network with an encoder", {**settings, "seed": draw.seed()})
    label = "a training step after the call" + ("" if norms else ", without batch norms in the encoder")
    return Call((network,), view=lambda result, args: None, label=label)


NO_GRADIENT = "model.encoder.requires_grad_(False)"
OWN_TRAIN = "model.encoder.train = types.MethodType(_stay_in_evaluation_mode, model.encoder)"
STAYS = f"{OWN_TRAIN}\n    model.encoder.eval()"
LAYER_STAYS = f"{OWN_TRAIN}\n            model.encoder.eval()".replace("model.encoder", "layer")


def _each(kind, layers, action):
    """The source of a loop that does something with the layers of one kind."""
    return f"for layer in {layers}:\n        if isinstance(layer, nn.{kind}):\n            {action}"


edit(
    "undone by the next train()",
    "Your `eval()` holds until somebody calls `model.train()`, and every epoch does. From then on the batch norms of "
    "the encoder follow the new data again. Look at what `model.train()` does to the encoder.",
    (f"    {OWN_TRAIN}\n", ""),
)

edit(
    "batch norms go on",
    "No parameter of the encoder moves, and still it changes: the running statistics of its batch norms have no "
    "gradient and follow the data in every forward pass in training mode. Look at its buffers.",
    (f"    {STAYS}\n", ""),
)

edit(
    "only the batch norms stopped",
    "The batch norms stand still, and the parameters of the encoder go on learning. If you set `requires_grad` on a "
    "*module*, that only made a new attribute there: look for the method with an underscore at its end, or set it on "
    "each parameter.",
    (f"    {NO_GRADIENT}\n", ""),
)

edit(
    "nothing lasting",
    "The model that you were given learns as before. Gradients that you delete are computed again, a copy that you "
    "freeze is not the model that will be trained, and `requires_grad` set on a *module* is only a new attribute "
    "there. Look at what keeps a parameter from asking for gradients.",
    (NO_GRADIENT, "model.encoder.requires_grad = False"),
    (STAYS, "model.encoder.zero_grad()"),
)

edit(
    "shift and scale of the batch norms still learn",
    "You stopped the convolutions. A batch norm has parameters too, a scale and a shift for each channel, and those "
    "still follow their gradients. Look at which layers your loop leaves out.",
    (NO_GRADIENT, _each("Conv2d", "model.encoder.modules()", "layer.requires_grad_(False)")),
)

edit(
    "biases still learn",
    "You stopped the parameters called `weight`; those called `bias` still follow their gradients. "
    "Look at how you choose parameters by name.",
    (
        NO_GRADIENT,
        "for name, parameter in model.encoder.named_parameters():\n"
        "        parameter.requires_grad_(not name.endswith('weight'))",
    ),
)

edit(
    "the outer layers only",
    "You went through the encoder's own layers and not through the blocks inside it, so whatever sits deeper is not "
    "frozen. `children()` stops at the first level: look for the method that goes all the way down.",
    (NO_GRADIENT, _each("Conv2d | nn.BatchNorm2d", "model.encoder.children()", "layer.requires_grad_(False)")),
    (STAYS, _each("BatchNorm2d", "model.encoder.children()", LAYER_STAYS)),
)

edit(
    "batch norms of inner blocks missed",
    "The parameters are all frozen, and so are the batch norms on the first level. Those inside a block of the encoder "
    "go on: `children()` stops at the first level. Look for the method that goes all the way down.",
    (STAYS, _each("BatchNorm2d", "model.encoder.children()", LAYER_STAYS)),
)

edit(
    "the whole model frozen",
    "No parameter of the model asks for a gradient any more, so there is nothing left to learn and `backward()` raises "
    "an error. Only the encoder is to stand still: look at whose parameters you loop over.",
    ("model.encoder.requires", "model.requires"),
)

edit(
    "everything frozen, in evaluation mode too",
    "The whole model stands still, decoder and all: nothing is left to learn. "
    "Look at what you freeze, the model or its encoder.",
    ("model.encoder.requires", "model.requires"),
    (STAYS, STAYS.replace("model.encoder", "model")),
)

edit(
    "the decoder frozen instead",
    "You froze the part that has to learn the new task, and left the pretrained one to be overwritten. "
    "Look at the name of the part that you freeze.",
    ("model.encoder.requires", "model.decoder.requires"),
    (STAYS, STAYS.replace("model.encoder", "model.decoder")),
)

edit(
    "only the decoder left to learn",
    "You froze everything whose name does not begin with `decoder`. A model has more parts than two: the head that "
    "makes the logits is frozen as well. Look at how you choose what to freeze.",
    (
        NO_GRADIENT,
        "for name, parameter in model.named_parameters():\n"
        "        parameter.requires_grad_(name.startswith('decoder'))",
    ),
)

edit(
    "train() no longer reaches the decoder",
    "`model.train()` has no effect on any part any more, so the batch norms of the decoder never learn their "
    "statistics. Only the encoder is to stay in evaluation mode: look at whose `train` you replaced.",
    (STAYS, STAYS.replace("model.encoder", "model")),
)

edit(
    "every batch norm stopped",
    "You stopped the batch norms of the decoder as well. They start from nothing and have to learn the statistics of "
    "the new data. Look at where your loop over batch norms begins.",
    (STAYS, _each("BatchNorm2d", "model.modules()", LAYER_STAYS)),
)

edit(
    "statistics kept and not used",
    "The running statistics stand still, and in training mode the batch norms still compute with those of the *batch*. "
    "The decoder then learns from other features than it gets in evaluation mode. A momentum of 0 or "
    "`track_running_stats` does not change the mode: look for what does.",
    (STAYS, _each("BatchNorm2d", "model.encoder.modules()", "layer.momentum = 0.0")),
)

edit(
    "running statistics reset",
    "You reset the running statistics of the encoder: means to 0, variances to 1. What it had learned about its "
    "features is gone, and each layer now gets inputs that it has never seen. Look for `reset` or "
    "`track_running_stats`.",
    (
        "return model",
        _each("BatchNorm2d", "model.encoder.modules()", "layer.reset_running_stats()") + "\n    return model",
    ),
)


@misconception(
    "batch norms taken out",
    "You took the batch norms out of the encoder. Its weights were learned with them, so its features are other ones "
    "now. They are to stand still, and stay: look at what you replace.",
)
def batch_norms_taken_out(model):
    freeze_encoder(model)
    for block in list(model.encoder.modules()):
        for name, layer in block.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(block, name, nn.Identity())


edit(
    "the encoder run without gradients",
    "You made the encoder run under `no_grad`. Its parameters get no gradient then, and still ask for one: everybody "
    "who looks at `requires_grad`, such as the code that hands parameters to an optimizer, takes them for learning. "
    "Look for the switch on the parameter itself.",
    (NO_GRADIENT, "model.encoder.forward = torch.no_grad()(model.encoder.forward)"),
)

edit(
    "eval() no longer reaches the model",
    "`model.eval()` leaves the decoder in training mode: the `train` that you put in ignores its argument. "
    "`eval()` is `train(False)`; look at what your method does with `mode`.",
    ("    return", "    model.train = lambda mode=True: nn.Module.train(model, True)\n    return"),
)

edit(
    "running statistics thrown away",
    "You took the running statistics away, so the batch norms of the encoder use those of the batch in both modes, "
    "and its answer for an image depends on which are beside it. They are to keep what they learned, and use it. "
    "Look for `running_mean` and `running_var`.",
    (STAYS, _each("BatchNorm2d", "model.encoder.modules()", "layer.running_mean = layer.running_var = None")),
)

edit(
    "the convolutions still learn",
    "You stopped the parameters of the batch norms, a scale and a shift each. The convolutions, where nearly all the "
    "weights are, still follow their gradients. Look at which layers your loop leaves out.",
    (NO_GRADIENT, _each("BatchNorm2d", "model.encoder.modules()", "layer.requires_grad_(False)")),
)

edit(
    "the class of the encoder changed",
    "You replaced `train` in the *class* of the encoder, so every module of that class stays in evaluation mode, "
    "wherever it is. Look at what you assign to: one object, or its class.",
    (OWN_TRAIN, "type(model.encoder).train = lambda self, mode=True: nn.Module.train(self, False)"),
)

edit(
    "train() and eval() reach nothing but the encoder",
    "Your `train` of the model looks after the encoder and forgets the rest, so that neither `model.train()` nor "
    "`model.eval()` reaches the decoder. Look for the `train` that was there before.",
    (OWN_TRAIN, "model.train = lambda mode=True: model.encoder.eval()"),
)


@variant("the model's own train, then the encoder back")
def through_the_model(model):
    for parameter in model.encoder.parameters():
        parameter.requires_grad = False
    original = model.train

    def train(mode=True):
        original(mode)
        model.encoder.eval()
        return model

    model.train = train
    model.train(model.training)
    return model


@variant("a hook before each pass of the encoder")
def with_a_hook(model):
    def to_evaluation_mode(module, inputs):
        module.eval()

    model.encoder.requires_grad_(False)
    model.encoder.register_forward_pre_hook(to_evaluation_mode)


@variant("each batch norm by itself")
def each_batch_norm(model):
    for parameter in model.encoder.parameters():
        parameter.requires_grad_(False)
    for layer in model.encoder.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer


@variant("frozen batch norms in their place")
def replaced(model):
    for block in list(model.encoder.modules()):
        for name, layer in list(block.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                frozen = FrozenBatchNorm2d(layer.num_features, eps=layer.eps)
                frozen.load_state_dict(layer.state_dict())
                setattr(block, name, frozen)
    model.encoder.requires_grad_(False)
    return model


@variant("a subclass for the encoder")
def subclass(model):
    class Frozen(type(model.encoder)):
        def train(self, mode=True):
            return super().train(False)

    model.encoder.__class__ = Frozen
    model.encoder.train().requires_grad_(False)
