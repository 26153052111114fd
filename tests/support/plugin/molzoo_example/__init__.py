"""A model, a kind of target, a split, a metric and a featurizer, as somebody else would add them."""


def register() -> None:
    """Register all parts; molzoo calls this because the entry point names it."""
    from molzoo_example import parts  # noqa: F401 - its decorators register
