"""One image through a network before anything long begins: what is told, what is warned of, and what stays."""

import re

import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from helpers.baseline import compare
from helpers.crops import any_way_up
from helpers.data.gate import GateError, GateWarning
from helpers.errors import CourseError
from helpers.reference.inference import predict_dihedral, predict_tiled
from helpers.reference.unet import UNet
from helpers.training import dice_and_cross_entropy, fit

MASK = torch.zeros(32, 32, dtype=torch.int64)
MASK[8:20, 8:20] = 1
IMAGE = 0.2 + 0.6 * MASK[None].float()
PAIRS = [(IMAGE, MASK)] * 4
OTHERS = [(0.9 * IMAGE, MASK)] * 4


class After(nn.Module):
    """A U-Net, and something after it."""

    def __init__(self, change, classes=2, channels=1):
        super().__init__()
        self.network, self.change = UNet(channels, classes, 4, 2), change

    def forward(self, x):
        return self.change(self.network(x))


class Refuses(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        raise KeyError("no such head")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (UNet, "is a class and no network yet"),
        (lambda x: x, "The network is a function, and has to be an `nn.Module`"),
        (nn.Sequential(nn.ReLU()), "has no parameters"),
        (UNet(3, 2, 4, 2), r"one channel, and its first convolution takes 3.*image.expand\(3, -1, -1\)"),
        (UNet(4, 2, 4, 2), "one channel, and its first convolution takes 4"),
        (UNet(1, 2, 4, 6), "32 × 32 pixels are too few for its depth.*256 × 256 go through"),
        (After(lambda y: {"out": y, "aux": y}), r"gives a dict of 'out', 'aux'.*`self.network\(x\)\['out'\]`"),
        (After(lambda y: (F.avg_pool2d(y, 2), y)), r"gives a tuple.*`self.network\(x\)\[1\]`"),
        (After(lambda y: [y, y]), r"gives a list.*`self.network\(x\)\[0\]`"),
        (After(lambda y: None), "gives a NoneType"),
        (After(lambda y: y.argmax(1, keepdim=True)), "as after `argmax`"),
        (After(lambda y: y.mean((2, 3))), r"makes float32 \(1, 2\) of an image.*classifies whole images"),
        (After(lambda y: F.avg_pool2d(y, 2)), "16 × 16 pixels of 32 × 32.*enlarge the logits"),
        (After(lambda y: F.pad(y, (1, 1, 1, 1))), "34 × 34 pixels of 32 × 32.*Crop the logits"),
        (UNet(1, 2, 4, 2).half(), "weights of float16, .*model.float"),
        (UNet(1, 2, 4, 2).to("meta"), "device 'meta'"),
        (torch.compile(UNet(1, 2, 4, 2), backend="eager"), "model._orig_mod"),
        (After(lambda y: y / 0), "no finite numbers"),
        (Refuses(), "KeyError: 'no such head'"),
    ],
)
def test_what_is_no_network_for_these_images_is_told(model, said):
    for call in (lambda: fit(model, PAIRS, OTHERS, epochs=1), lambda: compare({"it": model}, PAIRS)):
        with pytest.raises(GateError, match=said):
            call()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (torch.sigmoid, "ends in a sigmoid"),
        (lambda y: y.softmax(1), "ends in a softmax"),
        (lambda y: F.pad(y.sigmoid(), (2, 2))[..., 2:-2].clone(), None),  # what is between hides it
        (lambda y: y.sigmoid()[:, :, :, :].permute(0, 1, 2, 3), "ends in a sigmoid"),
        (F.relu, "ends in a ReLU, so it gives nothing below 0"),
        (torch.tanh, "ends in a tanh"),
        (lambda y: y.sigmoid() * y, None),
    ],
)
def test_an_end_that_bounds_the_logits_is_warned_of(end, said, recwarn):
    fit(After(end), PAIRS, OTHERS, epochs=1)
    warned = [str(w.message) for w in recwarn if issubclass(w.category, GateWarning)]
    assert len(warned) == (said is not None)
    assert all(said in text for text in warned)


@pytest.mark.parametrize(
    ("loss", "classes", "said"),
    [
        (nn.BCEWithLogitsLoss(), 1, r"`lambda logits, masks: loss\(logits\[:, 0\], masks.float\(\)\)`"),
        (nn.BCEWithLogitsLoss(), 3, "nn.CrossEntropyLoss"),
        (nn.CrossEntropyLoss(), 1, "one logit has none beside it"),
        (nn.NLLLoss(), 2, "NLLLoss takes logarithms.*CrossEntropyLoss"),
        (nn.MSELoss(), 2, "MSELoss cannot take.*one_hot"),
        (nn.MSELoss(), 1, "MSELoss cannot take"),
        (nn.CrossEntropyLoss(reduction="none"), 2, r"gives a tensor \(3, 32, 32\).*Take its mean"),
        (lambda logits, masks: (logits.argmax(1) != masks).float().mean(), 2, "without a gradient"),
        (lambda logits, masks: 0.5, 2, "gives a float"),
        (lambda logits, masks: 0 * logits.sum(), 2, "whatever the logits are"),
        (lambda logits: logits.mean(), 2, "TypeError"),
        (lambda logits, masks: 1 - dice_and_cross_entropy(logits, masks), 2, r"If it is a score, give `1 - score`"),
        (lambda z, y: ((z.sigmoid() - y) ** 2).mean(), 1, r"broadcast to \(N, N, H, W\). Take `logits\[:, 0\]`"),
        (
            lambda z, y: 1 - (2 * (z.sigmoid() * y).sum() + 1) / (z.sigmoid().sum() + y.sum() + 1),
            1,
            "holds each mask against other images",
        ),
        (lambda z, y: F.cross_entropy(z, 1 - y), 2, "whether classes are exchanged"),
        (nn.BCEWithLogitsLoss, 1, r"is a class and no loss yet. Make one: `BCEWithLogitsLoss\(\)`"),
        ("bce", 1, "The loss is a str"),
        (nn.CrossEntropyLoss(weight=torch.ones(3)), 2, "`weight` has 3 numbers, and there are 2 classes"),
        (smp.losses.DiceLoss("binary", from_logits=False), 1, "takes probabilities.*from_logits=True"),
        (smp.losses.SoftBCEWithLogitsLoss(), 1, r"loss\(logits\[:, 0\], masks.float\(\)\)"),
    ],
)
def test_a_loss_that_cannot_be_is_told_with_one_that_can(loss, classes, said):
    with pytest.raises(GateError, match=said):
        fit(UNet(1, classes, 4, 2), PAIRS, OTHERS, loss, epochs=1)


@pytest.mark.parametrize(
    ("loss", "classes", "end", "said"),
    [
        (
            lambda z, y: F.binary_cross_entropy_with_logits(z, F.one_hot(y, 2).view(z.shape).float()),
            2,
            None,
            "by `view`",
        ),
        (lambda z, y: F.binary_cross_entropy_with_logits(z, F.one_hot(y, 2).movedim(-1, 1).float()), 2, None, ""),
        (lambda z, y: ((z[:, 0].sigmoid() - y) ** 2).mean(), 1, None, ""),
        (lambda z, y: F.binary_cross_entropy(z[:, 0], y.float()), 1, torch.sigmoid, "ends in a sigmoid"),
        (lambda z, y: ((z[:, 0] - y) ** 2).mean(), 1, torch.sigmoid, "ends in a sigmoid"),
        (nn.CrossEntropyLoss(label_smoothing=0.2), 2, None, ""),
        (nn.CrossEntropyLoss(reduction="sum"), 2, None, ""),
        (lambda z, y: -(z.softmax(1)[:, 1] * y).sum() / y.sum(), 2, None, ""),
        (smp.losses.LovaszLoss("multiclass"), 2, None, ""),
        (smp.losses.FocalLoss("multiclass"), 2, None, ""),
        (smp.losses.TverskyLoss("multiclass"), 2, None, ""),
        (smp.losses.DiceLoss("multiclass", log_loss=True), 2, None, ""),
    ],
)
def test_a_loss_is_warned_of_only_where_better_logits_make_it_larger(loss, classes, end, said, recwarn):
    fit(After(end or nn.Identity(), classes), PAIRS, OTHERS, loss, epochs=1)
    warned = [str(w.message) for w in recwarn if issubclass(w.category, GateWarning)]
    assert len(warned) == bool(said)
    assert said in "".join(warned)


@pytest.mark.parametrize(
    ("loss", "classes", "counts"),
    [
        (dice_and_cross_entropy, 2, False),
        (nn.CrossEntropyLoss(ignore_index=255), 2, False),
        (lambda logits, masks: F.binary_cross_entropy_with_logits(logits[:, 0], masks.float()), 1, True),
        (lambda logits, masks: F.binary_cross_entropy_with_logits(logits[:, 0], (masks == 1).float()), 1, True),
    ],
)
def test_a_loss_that_counts_pixels_without_a_label_is_warned_of(loss, classes, counts, recwarn):
    ignored = MASK.clone()
    ignored[:4] = 255
    fit(UNet(1, classes, 4, 2), [(IMAGE, ignored)] * 4, OTHERS, loss, epochs=1)
    assert [("counts pixels of 255" in str(w.message)) for w in recwarn if w.category is GateWarning] == [True] * counts


def test_a_loss_that_cannot_take_255_is_told_though_the_first_mask_has_none():
    ignored = MASK.clone()
    ignored[:4] = 255
    with pytest.raises(GateError, match="ignore_index=255"):
        fit(UNet(1, 2, 4, 2), [*PAIRS, (IMAGE, ignored)], PAIRS, nn.CrossEntropyLoss(), epochs=1)


def test_the_losses_that_it_proposes_train():
    for loss, classes in (
        (lambda logits, masks: F.binary_cross_entropy_with_logits(logits[:, 0], masks.float()), 1),
        (nn.CrossEntropyLoss(ignore_index=255), 2),
    ):
        assert fit(UNet(1, classes, 4, 2), PAIRS, OTHERS, loss, epochs=1).steps == 1


@pytest.mark.parametrize("crop", [None, 16])
def test_a_norm_of_one_value_is_told_before_it_is_met(crop):
    pairs = [(image[:, :16, :16], mask[:16, :16]) for image, mask in PAIRS] if crop is None else PAIRS
    with pytest.raises(GateError, match="In a batch of 1 with images of 16 × 16, `encoder.*one value a channel"):
        fit(UNet(1, 2, 4, 4), pairs, pairs, epochs=1, batch_size=1, crop=crop)


class Counting(nn.Module):
    """Has a buffer that each call changes, and dropout."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.network(x) + torch.rand(()) * 0


def test_a_refused_network_is_as_it_was():
    model = Counting().train()
    model.network[1].eval()
    state, numbers = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    modes = [layer.training for layer in model.modules()]
    with pytest.raises(GateError):
        fit(model, PAIRS, [(IMAGE, 5 * MASK)], epochs=1)
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert [layer.training for layer in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), numbers)
    assert all(p.grad is None for p in model.parameters())


class Silent(list):
    def say(self, *others):
        pass


def test_it_changes_no_bit_of_a_training(monkeypatch):
    def trained():
        torch.manual_seed(3)
        model = UNet(1, 2, 4, 2)
        fit(model, PAIRS, OTHERS, epochs=3)
        return model.state_dict()

    looked_at = trained()
    monkeypatch.setattr("helpers.training.ready_to_train", lambda model, a, b, *rest: (Silent(a), Silent(b)))
    assert all(torch.equal(value, looked_at[name]) for name, value in trained().items())


@pytest.mark.parametrize("predict", [predict_dihedral, lambda model, image: predict_tiled(model, image, 16, 4)])
@pytest.mark.parametrize(
    ("model", "image", "said"),
    [
        (UNet(1, 2, 4, 2), IMAGE[None], r"image \(1, 1, 32, 32\).*`image\[0\]`"),
        (UNet(1, 2, 4, 2), [1, 2], "a list of 2"),
        (UNet(3, 2, 4, 2), IMAGE, "its first convolution takes 3"),
        (After(lambda y: (y, y)), IMAGE, "gives a tuple"),
    ],
)
def test_a_prediction_says_what_it_cannot_take(predict, model, image, said):
    with pytest.raises(GateError, match=said):
        predict(model, image)


def test_an_image_of_bytes_as_floats_is_warned_of_and_none_without_numbers_taken():
    with pytest.warns(GateWarning, match="goes to 204; images go from 0 to 1"):
        predict_dihedral(UNet(1, 2, 4, 2), 255 * IMAGE)
    with pytest.raises(GateError, match="no finite numbers"):
        predict_dihedral(UNet(1, 2, 4, 2), IMAGE / 0)


def test_a_normalised_image_is_none_of_bytes(recwarn):
    spot = torch.full((1, 64, 64), 0.1)
    spot[:, 20, 20] = 1.0
    predict_dihedral(UNet(1, 2, 4, 2), normalised(spot))
    assert list(recwarn) == []
    with pytest.warns(GateWarning, match="begins at -1000; images go"):
        predict_dihedral(UNet(1, 2, 4, 2), 500 * IMAGE - 1100)


def test_an_image_without_a_pixel_is_told():
    with pytest.raises(GateError, match=r"an image \(1, 0, 32\), without a pixel"):
        predict_dihedral(UNet(1, 2, 4, 2), IMAGE[:, :0])


class Placed(nn.Module):
    """Adds a number for each place in an image of one size."""

    def __init__(self):
        super().__init__()
        self.network, self.places = UNet(1, 2, 4, 2), nn.Parameter(torch.zeros(32, 16))

    def forward(self, x):
        return self.network(x + self.places)


@pytest.mark.parametrize("model", [Placed(), nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d((32, 16)))])
def test_a_network_that_takes_no_turned_image_is_told(model):
    with pytest.raises(GateError, match="image of 32 × 16 as it is, and not turned by a quarter, to 16 × 32"):
        predict_dihedral(model, IMAGE[:, :, :16])


def test_a_table_warns_of_a_bounded_end_too():
    with pytest.warns(GateWarning, match="ends in a sigmoid"):
        compare({"it": After(torch.sigmoid, 1)}, PAIRS)


def test_logits_without_a_gradient_are_told():
    with pytest.raises(GateError, match="without a gradient"):
        fit(After(torch.Tensor.detach), PAIRS, OTHERS, epochs=1)


def test_a_prediction_takes_an_array(capsys):
    model = UNet(1, 2, 4, 2)
    expected = predict_dihedral(model, IMAGE)
    assert torch.equal(predict_dihedral(model, IMAGE[0].numpy()), expected)
    assert "NumPy arrays as tensors; images (H, W) as (1, H, W)" in capsys.readouterr().out


def test_what_is_none_of_the_gates_business_is_raised_as_it_is():
    with pytest.raises(ValueError, match="overlap=9 does not fit"):
        predict_tiled(UNet(1, 2, 4, 2), IMAGE, 9, 9)


def test_the_course_itself_passes_without_a_word(recwarn, capsys):
    fit(UNet(1, 1, 4, 2), PAIRS, OTHERS, dice_and_cross_entropy, epochs=1)
    assert [w for w in recwarn if issubclass(w.category, GateWarning)] == []
    assert "Taken" not in capsys.readouterr().out


class InTraining(nn.Module):
    """A U-Net that gives something else in training."""

    def __init__(self, change):
        super().__init__()
        self.network, self.change = UNet(1, 2, 4, 2), change

    def forward(self, x):
        y = self.network(x)
        return self.change(y) if self.training else y


class Advised(nn.Module):
    """What an error says to write around a network."""

    def __init__(self, network, said):
        super().__init__()
        self.network, self.returns = network, re.search(r"`forward` returns `([^`]+)`", said)[1]

    def forward(self, x):
        return eval(self.returns, {"self": self, "x": x, "F": F})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: [y, F.avg_pool2d(y, 2)], r"gives a list of images \(2, 1, 32, 32\) in training.*supervision off"),
        (lambda y: {"low": F.avg_pool2d(y, 2), "out": y}, r"gives a dict of 'low', 'out'.*\['out'\] if self.training"),
        (lambda y: torch.stack([y, y], dim=1), r"gives float32 \(2, 2, 2, 32, 32\).*x\)\[:, 0\] if self.training"),
    ],
)
def test_what_is_other_in_training_is_told_and_the_wrapper_works(change, said):
    network = InTraining(change)
    with pytest.raises(GateError, match=said) as told:
        fit(network, PAIRS, OTHERS, epochs=1, batch_size=2)
    assert fit(Advised(network, str(told.value)), PAIRS, OTHERS, epochs=1, batch_size=2).steps == 2


def test_what_raises_in_training_alone_is_told():
    def refuse(y):
        raise KeyError("target")

    with pytest.raises(GateError, match=r"in evaluation mode, and not in training: KeyError: 'target'"):
        fit(InTraining(refuse), PAIRS, OTHERS, epochs=1)
    with pytest.raises(GateError, match=r"and logits \(2, 2, 32, 32\) in evaluation mode.*do the same in both"):
        fit(InTraining(lambda y: y[:, :1]), PAIRS, OTHERS, epochs=1)


class Unpadded(nn.Module):
    def __init__(self, side=None):
        super().__init__()
        self.layers, self.side = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Conv2d(4, 2, 4)), side

    def forward(self, x):
        if self.side and x.shape[2] != self.side:
            raise ValueError(f"height is {x.shape[2]}, and {self.side} is expected")
        return self.layers(x)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Unpadded(), r"25 × 25 pixels of 32 × 32.*do not pad.*F.pad\(x, \(3, 4, 3, 4\), mode='reflect'\)"),
        (Unpadded(32), r"fill the logits up.*F.pad\(self.network\(x\), \(3, 4, 3, 4\)\)"),
        (After(lambda y: F.avg_pool2d(y, 4)), r"8 × 8 pixels of 32 × 32.*enlarge the logits"),
    ],
)
def test_smaller_logits_are_told_and_the_wrapper_works(network, said):
    seen = []
    network.register_forward_hook(lambda module, args, given: seen.append(module.training))
    with pytest.raises(GateError, match=said) as told:
        compare({"it": network.train()}, PAIRS)
    assert not any(seen)
    assert compare({"it": Advised(network, str(told.value))}, PAIRS).images == 4


def test_a_size_that_an_error_asks_for_is_tried():
    with pytest.raises(GateError, match=r"takes 48 × 48: ValueError: height is 32.*tile=48"):
        compare({"it": Unpadded(48)}, PAIRS)


# ---- In training


class Changes(nn.Module):
    """A U-Net that does something in training, or to what it is given."""

    def __init__(self, forward):
        super().__init__()
        self.network, self.does = UNet(1, 2, 4, 2), forward

    def forward(self, x):
        return self.does(self, x)


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (
            lambda self, x: (self.network(x),) * 2 if self.training else self.network(x),
            "gives a tuple of images .* in training",
        ),
        (lambda self, x: self.network(x.view(1, 1, 32, 32)), "in evaluation mode, and not in training"),
        (lambda self, x: self.network(x.sub_(0.5)), "changes the image that it is given, in place"),
        (lambda self, x: self.network(x).movedim(1, -1), r"classes last.*`logits.permute\(0, 3, 1, 2\)`"),
    ],
)
def test_what_only_training_shows_is_told_before_it(forward, said):
    pairs = [(IMAGE.clone(), MASK)] * 4
    with pytest.raises(GateError, match=said):
        fit(Changes(forward), pairs, OTHERS, epochs=1)
    assert torch.equal(pairs[0][0], IMAGE)


@pytest.mark.parametrize("held", [lambda a: [a], lambda a: (a,), lambda a: {"a": a}])
def test_layers_that_a_network_does_not_know_are_warned_of(held, recwarn):
    model = Changes(lambda self, x: self.network(self.held(x)))
    layer = nn.Conv2d(1, 1, 1)
    blocks = held(layer)
    model.held = lambda x: x
    model.blocks = blocks
    fit(model, PAIRS, OTHERS, epochs=1)
    assert sum("`blocks`: it does not know them" in str(w.message) for w in recwarn) == 1
    recwarn.clear()
    model.layer = layer  # it knows it now
    fit(model, PAIRS, OTHERS, epochs=1)
    assert not [w for w in recwarn if issubclass(w.category, GateWarning)]


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        (lambda image: image, "cannot be called: TypeError.*def augment"),
        (lambda image, mask, generator: image, "gives Tensor"),
        (lambda image, mask, generator: {"image": image, "mask": mask}, "gives a dict of 'image', 'mask'"),
        (lambda image, mask, generator: (image[:, ::2], mask), r"an image \(1, 16, 32\).*a mask \(32, 32\)"),
        (lambda image, mask, generator: (image, mask.float()), "a mask .* of float32"),
        (lambda image, mask, generator: (image, 7 * mask), "values that were not in it"),
        (lambda image, mask, generator: (image.mul_(1.2), mask), "writes into the pair"),
        (lambda image, mask, generator: v2.RandomHorizontalFlip(1.0)(image, mask), "moves an image otherwise than"),
        (lambda image, mask, generator: v2.RandomHorizontalFlip(0.5)(image, mask), "moves an image otherwise than"),
        (lambda image, mask, generator: (image, mask.T), "moves an image otherwise than"),
        (lambda image, mask, generator: (0 * image, mask), "leaves nothing of it"),
        (
            lambda image, mask, generator: (
                (image, mask) if torch.rand((), generator=generator) < 0.5 else (image[:, :16], mask[:16])
            ),
            "gives sizes of 16×32 and 32×32",
        ),
    ],
)
def test_an_augmentation_that_gives_no_pair_is_told(augment, said):
    with pytest.raises(GateError, match=said):
        fit(UNet(1, 2, 4, 2), PAIRS, OTHERS, epochs=1, augment=augment)


@pytest.mark.parametrize(
    "augment",
    [
        None,
        any_way_up,
        lambda i, m, g: (1 - i, m),
        lambda i, m, g: (i + 0.3 * torch.randn(i.shape, generator=g), m),
        lambda i, m, g: (i + 0.5 * torch.rand((), generator=g) - 0.25, m),
        lambda i, m, g: ((i + 0.2 * torch.randn(i.shape, generator=g)).clamp(0, 1), m),
        lambda i, m, g: (v2.functional.gaussian_blur(i, 5), m),
        lambda i, m, g: v2.RandomRotation(30)(tv_tensors.Image(i), tv_tensors.Mask(m)),
        lambda i, m, g: v2.RandomResizedCrop(32, antialias=True)(tv_tensors.Image(i), tv_tensors.Mask(m)),
        lambda i, m, g: (v2.RandomErasing(1.0)(i), m),
        lambda i, m, g: v2.ElasticTransform()(tv_tensors.Image(i), tv_tensors.Mask(m)),
    ],
)
def test_an_augmentation_that_moves_both_alike_is_taken(augment, recwarn):
    assert fit(UNet(1, 2, 4, 2), PAIRS, OTHERS, epochs=1, augment=augment).steps == 1
    assert [w for w in recwarn if issubclass(w.category, GateWarning)] == []


def normalised(image):
    return (image - image.mean()) / image.std()


@pytest.mark.parametrize("scaled", [normalised, lambda x: 2 * x - 1])
def test_an_augmentation_that_scales_training_images_alone_is_warned_of(scaled, recwarn):
    def augment(image, mask, generator):
        return any_way_up(scaled(image), mask, generator)

    fit(UNet(1, 2, 4, 2), PAIRS, OTHERS, epochs=1, augment=augment)
    (warned,) = [str(w.message) for w in recwarn]
    assert "come out of augment= on both sides of 0, and those of the validation pairs go from 0" in warned
    fit(UNet(1, 2, 4, 2), PAIRS, [(scaled(image), mask) for image, mask in OTHERS], epochs=1, augment=augment)
    assert len(recwarn) == 1


def test_sets_that_are_scaled_differently_are_warned_of():
    with pytest.warns(GateWarning, match="from -0.64 to 0.44, on both sides of 0, .*scaled different"):
        fit(UNet(1, 2, 4, 2), PAIRS, [(2 * image - 1, mask) for image, mask in OTHERS], epochs=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": float("inf")}, "epochs is inf; give more than 0, and a finite number"),
        ({"epochs": None, "seconds": float("inf")}, "seconds is inf"),
        ({"epochs": None, "seconds": float("nan")}, "seconds is nan"),
        ({"seed": 2**70}, "a whole number of at most 64 bits"),
        ({"monitor": 5}, "monitor has to be a function, and this is 5"),
        ({"checkpoint": "."}, "checkpoint is the folder .*Give a file in it: run.safetensors"),
        ({"batch_size": 0}, "batch_size is 0; give more than 0"),
        ({"batch_size": "4"}, "batch_size has to be a whole number, and this is '4'"),
        ({"crop": 16.5}, "crop has to be a whole number"),
        ({"patience": 0}, "patience is 0; give more than 0"),
        ({"lr": "1e-3"}, "lr has to be a number"),
        ({"size": 3}, "unexpected keyword argument 'size'"),
    ],
)
def test_a_number_that_cannot_be_is_told(wrong, said):
    with pytest.raises(CourseError, match=said):
        fit(UNet(1, 2, 4, 2), PAIRS, OTHERS, **{"epochs": 1, **wrong})


def test_validating_on_what_was_trained_on_is_warned_of_at_the_call(recwarn):
    fit(UNet(1, 2, 4, 2), PAIRS, [*OTHERS, (IMAGE.clone(), MASK)], epochs=1)
    (warned,) = recwarn
    assert "One image of the validation pairs is among the training pairs" in str(warned.message)
    assert warned.filename == __file__


def test_a_picture_with_its_channels_last_is_told():
    with pytest.raises(GateError, match=r"channels last.*`image.permute\(2, 0, 1\)`"):
        predict_tiled(UNet(3, 2, 4, 2), torch.rand(32, 48, 3), 16, 4)
    with pytest.raises(GateError, match="channels last"):
        predict_tiled(UNet(1, 2, 4, 2), torch.rand(32, 32, 3), 16, 8)
    with pytest.raises(CourseError, match="tile"):
        predict_tiled(UNet(3, 2, 4, 2), torch.rand(3, 32, 48), "16", 4)
    with pytest.raises(GateError, match="compiled"):
        predict_dihedral(torch.compile(UNet(3, 2, 4, 2), backend="eager"), torch.rand(3, 32, 48))
