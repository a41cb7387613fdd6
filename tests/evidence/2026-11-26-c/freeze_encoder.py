# %% right: a hook before each forward pass puts the encoder into evaluation mode
def freeze_encoder(model):
    for p in model.encoder.parameters():
        p.requires_grad = False
    model.encoder.eval()
    model.encoder.register_forward_pre_hook(lambda module, args: module.eval() and None)


# %% right: each batch norm of the encoder gets a train of its own, the rest of the encoder keeps its modes
def freeze_encoder(model):
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

    def held(norm):
        def train(mode=True):
            norm.training = False
            return norm

        return train

    for module in model.encoder.modules():
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(False)
        if isinstance(module, norms):
            module.train = held(module)
            module.train()
    return model


# %% wrong: requires_grad only, the batch norms go on with their statistics
def freeze_encoder(model):
    for name, param in model.encoder.named_parameters():
        param.requires_grad = False
    return model


# %% wrong: evaluation mode is set once, and model.train() undoes it
def freeze_encoder(model):
    model.encoder.eval()
    model.encoder.requires_grad_(False)
    return model


# %% wrong: momentum 0 keeps the running statistics, but in training mode the norms still use those of the batch
def freeze_encoder(model):
    for param in model.encoder.parameters():
        param.requires_grad = False
    for module in model.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0


# %% wrong: track_running_stats = False, so the norms use the statistics of the batch even in evaluation mode
def freeze_encoder(model):
    for m in model.encoder.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.track_running_stats = False
            m.running_mean = None
            m.running_var = None
    model.encoder.requires_grad_(False)
    return model


# %% wrong: the whole model gets a train that keeps it in evaluation mode, so the decoder's norms stand still as well
def freeze_encoder(model):
    model.encoder.requires_grad_(False)
    model.eval()
    model.train = lambda mode=True: model
    return model


# %% wrong: changes the class of the encoder, so all other modules of this class stay in evaluation mode too
def freeze_encoder(model):
    model.encoder.requires_grad_(False)
    model.encoder.eval()
    cls = type(model.encoder)
    cls.train = lambda self, mode=True: nn.Module.train(self, False)
    return model


# %% wrong: holds only the batch norms that are direct children of the encoder, not those inside its blocks
def freeze_encoder(model):
    for p in model.encoder.parameters():
        p.requires_grad_(False)
    for child in model.encoder.children():
        if isinstance(child, nn.BatchNorm2d):
            child.eval()
            child.train = lambda mode=True, child=child: child
    return model


# %% wrong: train of the encoder sets its own flag only, its batch norms are put into training mode all the same
def freeze_encoder(model):
    encoder = model.encoder
    for p in encoder.parameters():
        p.requires_grad = False
    encoder.eval()
    original = encoder.train

    def train(mode=True):
        original(mode)
        encoder.training = False
        return encoder

    encoder.train = train


# %% wrong: [two] first freezes the parameters of the batch norms only, the convolutions go on learning; second evaluation mode is set once only
def freeze_encoder(model):
    for module in model.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
            module.weight.requires_grad = False
            module.bias.requires_grad = False


# %% wrong: [two] first all parameters of the model are frozen, the decoder's too; second the norms of the encoder are left as they are
def freeze_encoder(model):
    for p in model.parameters():
        p.requires_grad = False
    model.encoder.train(False)
    model.train()
    return model
