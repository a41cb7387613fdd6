"""A small trained network, two data sets and a bundle."""

import pytest
from share_made import HISTORY, trained

from helpers import data
from helpers.reference.unet import UNet
from helpers.share import share


@pytest.fixture(scope="session")
def train():
    return data.load("nuclei", "train")


@pytest.fixture(scope="session")
def validation():
    return data.load("nuclei", "validation")


@pytest.fixture(scope="session")
def model(train):
    return trained(UNet, train, base_channels=4, depth=2)


@pytest.fixture(scope="session")
def bundle(model, train, validation, tmp_path_factory):
    return share(model, "ana", train, validation, folder=tmp_path_factory.mktemp("class"), history=HISTORY)
