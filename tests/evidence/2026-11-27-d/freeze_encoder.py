# %% right: gives each module of the encoder a subclass on the fly whose train() always means eval
def freeze_encoder(model):
    def ice_cold(cls):
        return type("Frozen" + cls.__name__, (cls,), {
            "train": lambda self, mode=True: nn.Module.train(self, False),
        })

    for parameter in model.encoder.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    for module in model.encoder.modules():
        module.__class__ = ice_cold(module.__class__)
    model.encoder.eval()
# %% wrong: the new train() of the model ignores its argument and always trains, so model.eval() no longer puts the rest of the model into evaluation mode
def freeze_encoder(model):
    for p in model.encoder.parameters():
        p.requires_grad = False

    def train(mode=True):
        nn.Module.train(model)       # everything on ...
        model.encoder.eval()         # ... and the encoder off again
        return model

    model.train = train
    model.encoder.eval()
    return model
# %% wrong: sets the momentum of the batch norms to 0, which keeps the running statistics but in training mode the norms still use the mean and variance of the batch
def freeze_encoder(model):
    encoder = model.encoder
    for name, param in encoder.named_parameters():
        param.requires_grad = False
    for layer in encoder.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            layer.momentum = 0.0     # new = 1 * old + 0 * batch
    return model
# %% wrong: looks for batch norms only among encoder.children(), not in all its modules(), so the nested ones wake up again at the next model.train()
def freeze_encoder(model):
    enc = model.encoder
    enc.requires_grad_(False)
    enc.eval()
    for child in enc.children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            # train() on this layer does nothing from now on
            child.train = lambda mode=True, bn=child: bn
