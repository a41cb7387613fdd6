"""Lesson 10: `freeze_encoder(model)`."""

import types

import torch
from torch import nn
from torchvision.ops.misc import FrozenBatchNorm2d

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
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
        "Change `model`, a network with an `encoder`, in place, so that training leaves its encoder as it is: none of "
        "the encoder's parameters has `requires_grad`, and its batch norms neither update their running statistics nor "
        "use those of the batch, also after `model.train()` is called again. The rest of the model goes on learning. "
        "What you return does not matter."
    ),
)
def probes(draw):
    """Networks with batch norms in encoder and decoder. After the call each is trained for a step: see `made`."""
    for channels, classes, training in ((1, 1, True), (3, 2, False), (2, draw.size(3, 5), True)):
        settings = {"in_channels": channels, "num_classes": classes, "seed": draw.seed(), "training": training}
        network = Fixture("network with an encoder", settings)
        yield Call((network,), view=lambda result, args: None, label="a training step after the call")


def _batch_norms(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]


def _keep_in_evaluation_mode(module):
    module.eval()
    module.train = types.MethodType(lambda self, mode=True: self, module)


@misconception(
    "undone by the next train()",
    "Your `eval()` holds until somebody calls `model.train()`, and every epoch does. From then on the batch norms of "
    "the encoder follow the new data again. Look at what `model.train()` does to the encoder.",
)
def undone_by_train(model):
    model.encoder.requires_grad_(False)
    model.encoder.eval()


@misconception(
    "batch norms go on",
    "No parameter of the encoder moves, and still it changes: the running statistics of its batch norms have no "
    "gradient and follow the data in every forward pass in training mode. Look at its buffers.",
)
def statistics_go_on(model):
    for parameter in model.encoder.parameters():
        parameter.requires_grad = False


@misconception(
    "only the batch norms stopped",
    "The batch norms stand still, and the parameters of the encoder go on learning. If you set `requires_grad` on a "
    "*module*, that only made a new attribute there: look for the method with an underscore at its end, or set it on "
    "each parameter.",
)
def only_statistics(model):
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "nothing lasting",
    "The model that you were given learns as before. Gradients that you delete are made anew, a copy that you freeze "
    "is not the model that will be trained, and `requires_grad` set on a *module* is only a new attribute there. Look "
    "at what keeps a parameter from asking for gradients.",
)
def nothing_lasting(model):
    model.encoder.requires_grad = False
    model.encoder.zero_grad()


@misconception(
    "shift and scale of the batch norms still learn",
    "You stopped the convolutions. A batch norm has parameters too, a scale and a shift for each channel, and those "
    "still follow their gradients. Look at which layers your loop leaves out.",
)
def affine_learns(model):
    for layer in model.encoder.modules():
        if isinstance(layer, nn.Conv2d):
            layer.requires_grad_(False)
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "biases still learn",
    "You stopped the parameters called `weight`; those called `bias` still follow their gradients. "
    "Look at how you choose parameters by name.",
)
def biases_learn(model):
    for name, parameter in model.encoder.named_parameters():
        if name.endswith("weight"):
            parameter.requires_grad_(False)
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "the outer layers only",
    "You went through the encoder's own layers and not through the blocks inside it, so whatever sits deeper is not "
    "frozen. `children()` stops at the first level: look for the method that goes all the way down.",
)
def outer_layers_only(model):
    for layer in model.encoder.children():
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            layer.requires_grad_(False)
            _keep_in_evaluation_mode(layer)


@misconception(
    "batch norms of inner blocks missed",
    "The parameters are all frozen, and so are the batch norms on the first level. Those inside a block of the encoder "
    "go on: `children()` stops at the first level. Look for the method that goes all the way down.",
)
def inner_batch_norms_missed(model):
    model.encoder.requires_grad_(False)
    for layer in model.encoder.children():
        if isinstance(layer, nn.BatchNorm2d):
            _keep_in_evaluation_mode(layer)


@misconception(
    "the whole model frozen",
    "No parameter of the model asks for a gradient any more, so there is nothing left to learn and `backward()` raises "
    "an error. Only the encoder is to stand still: look at whose parameters you loop over.",
)
def all_frozen(model):
    model.requires_grad_(False)
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "everything frozen, in evaluation mode too",
    "The whole model stands still, decoder and all: nothing is left to learn. "
    "Look at what you freeze, the model or its encoder.",
)
def all_still(model):
    model.requires_grad_(False)
    _keep_in_evaluation_mode(model)


@misconception(
    "the decoder frozen instead",
    "You froze the part that has to learn the new task, and left the pretrained one to be overwritten. "
    "Look at the name of the part that you freeze.",
)
def decoder_frozen(model):
    model.decoder.requires_grad_(False)
    _keep_in_evaluation_mode(model.decoder)


@misconception(
    "only the decoder left to learn",
    "You froze everything whose name does not begin with `decoder`. A model has more parts than two: the head that "
    "makes the logits is frozen as well. Look at how you choose what to freeze.",
)
def head_frozen(model):
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith("decoder")
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "train() no longer reaches the decoder",
    "`model.train()` has no effect on any part any more, so the batch norms of the decoder never learn their "
    "statistics. Only the encoder is to stay in evaluation mode: look at whose `train` you replaced.",
)
def model_in_evaluation_mode(model):
    model.encoder.requires_grad_(False)
    _keep_in_evaluation_mode(model)


@misconception(
    "every batch norm stopped",
    "You stopped the batch norms of the decoder as well. They start from nothing and have to learn the statistics of "
    "the new data. Look at where your loop over batch norms begins.",
)
def every_batch_norm(model):
    model.encoder.requires_grad_(False)
    for layer in _batch_norms(model):
        _keep_in_evaluation_mode(layer)


@misconception(
    "statistics kept and not used",
    "The running statistics stand still, and in training mode the batch norms still compute with those of the *batch*. "
    "The decoder then learns from other features than it gets in evaluation mode. A momentum of 0 or "
    "`track_running_stats` does not change the mode: look for what does.",
)
def momentum_zero(model):
    model.encoder.requires_grad_(False)
    for layer in _batch_norms(model.encoder):
        layer.momentum = 0.0


@misconception(
    "running statistics reset",
    "You reset the running statistics of the encoder: means to 0, variances to 1. What it had learned about its "
    "features is gone, and each layer now gets inputs that it has never seen. Look for `reset` or "
    "`track_running_stats`.",
)
def statistics_reset(model):
    freeze_encoder(model)
    for layer in _batch_norms(model.encoder):
        layer.reset_running_stats()


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


@misconception(
    "the encoder run without gradients",
    "You made the encoder run under `no_grad`. Its parameters get no gradient then, and still ask for one: everybody "
    "who looks at `requires_grad`, such as the code that hands parameters to an optimizer, takes them for learning. "
    "Look for the switch on the parameter itself.",
)
def under_no_grad(model):
    model.encoder.forward = torch.no_grad()(model.encoder.forward)
    _keep_in_evaluation_mode(model.encoder)


@misconception(
    "eval() no longer reaches the model",
    "`model.eval()` leaves the decoder in training mode: the `train` that you put in ignores its argument. "
    "`eval()` is `train(False)`; look at what your method does with `mode`.",
)
def eval_swallowed(model):
    freeze_encoder(model)
    original = model.train

    def train(mode=True):
        return original(True)

    model.train = train


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
