# %% right: gives the encoder a train method of its own that sends its batch norms back to evaluation
import types


def freeze_encoder(model):
    encoder = model.encoder
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None

    def rest_norms(root):
        for module in root.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.training = False

    original = type(encoder).train

    def train(self, mode=True):
        original(self, mode)
        rest_norms(self)
        return self

    encoder.train = types.MethodType(train, encoder)
    rest_norms(encoder)
    return model


# %% wrong: calls encoder.eval() only once, so the next model.train() puts its batch norms back to the statistics of the batch
def freeze_encoder(model):
    for p in model.encoder.parameters():
        p.requires_grad = False
    model.encoder.eval()
    return model


# %% wrong: sets track_running_stats = False, which stops the update but makes the batch norms use the statistics of the batch in training mode
def freeze_encoder(model):
    encoder = model.encoder
    encoder.requires_grad_(False)
    for module in encoder.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.track_running_stats = False
            module.momentum = 0.0
