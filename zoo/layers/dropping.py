"""The modules of a model that drop values."""

from __future__ import annotations

from torch import nn

KINDS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def dropping_modules(model: nn.Module) -> list[nn.Module]:
    """Modules that drop something in training mode, and would in prediction with their own flag set.

    Dropout is a module of torch, a number `dropout` of the module that applies it, or the first of a sequence whose
    flag is read by those that run its parts themselves. Flags of other modules, such as batch normalization, stay.
    """
    found = []
    for module in model.modules():
        number = getattr(module, "dropout", None)
        itself = isinstance(module, KINDS) and module.p > 0  # type: ignore[operator]
        holds = isinstance(module, nn.Sequential) and any(isinstance(part, KINDS) and part.p > 0 for part in module)  # type: ignore[operator]
        if itself or holds or (isinstance(number, float) and number > 0):
            found.append(module)
    return found
