"""What watches a training run: progress, TensorBoard, early stopping, checkpoints."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["Callback"],
        "checkpointing": ["Checkpointing"],
        "early_stopping": ["EarlyStopping"],
        "progress": ["Progress"],
        "tensorboard": ["TensorBoard", "add_test_metrics", "flatten"],
    },
)
