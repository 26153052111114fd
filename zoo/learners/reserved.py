"""Options that nobody gives, since the factory and the training loop set them."""

from featurizers.needs import SIZES

SET_BY_FACTORY = ("num_tasks", "num_classes", "task", "criterion", "kinds", "seed", *SIZES)
SET_BY_TRAINING = ("max_grad_norm", "model", "no_sync", "diagnostics")
