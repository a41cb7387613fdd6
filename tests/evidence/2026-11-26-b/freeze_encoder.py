# %% right: gives the encoder a class whose train() always means eval
def freeze_encoder(model):
    encoder = model.encoder
    for p in encoder.parameters():
        p.requires_grad_(False)

    class Frozen(type(encoder)):
        def train(self, mode=True):
            return super().train(False)

    Frozen.__name__ = type(encoder).__name__
    encoder.__class__ = Frozen
    encoder.eval()
    return model

# %% wrong: The encoder is put into eval mode once, but model.train() puts its batch norms back into training mode, so they use the batch and update their statistics again.
def freeze_encoder(model):
    for param in model.encoder.parameters():
        param.requires_grad = False
    model.encoder.eval()

# %% wrong: momentum = 0 keeps the running statistics, but in training mode the batch norms still normalise with the mean and variance of the batch.
def freeze_encoder(model):
    """fast.ai-style freeze, statistics included"""
    for module in model.encoder.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.0
        for p in module.parameters(recurse=False):
            p.requires_grad = False

# %% wrong: [two] first the new train() puts all batch norms of the model into eval mode, the decoder's too, so the rest does not learn as before; second it ignores mode, so model.eval() no longer puts the model into evaluation mode
def freeze_encoder(model):
    for p in model.encoder.parameters():
        p.requires_grad = False

    original_train = model.train

    def train(mode=True):
        original_train(True)
        for m in model.modules():
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                m.eval()
        return model

    model.train = train
    model.train()
    return model
