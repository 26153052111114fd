"""Explanations of options that several parts share and that their own docstrings leave out."""

TEXTS = {
    "lr": "Learning rate at the peak of the schedule.",
    "betas": "Decay of the averages of gradients and of their squares.",
    "eps": "Added to the denominator, for numerical stability.",
    "weight_decay": "Share of a weight that is taken off at each step, times the learning rate.",
    "decoupled_weight_decay": "Take the decay off the weights themselves, as AdamW does.",
    "amsgrad": "Divide by the largest average of squares so far.",
    "momentum": "Share of the last step that is added to the next one.",
    "dampening": "Share of the gradient that momentum leaves out.",
    "nesterov": "Look ahead by the momentum.",
    "momentum_decay": "Decay of the momentum.",
    "foreach": "Use torch's kernel for many tensors at once; None lets torch choose.",
    "fused": "Use torch's fused kernel; None takes it where there is one.",
    "capturable": "Allow the capture of steps in a CUDA graph.",
    "differentiable": "Allow gradients through a step.",
    "maximize": "Climb the objective instead of descending.",
    "base": "Optimizer whose step the rule uses.",
    "perturb": "What the rule perturbs: all weights, or those of normalization layers only (norms).",
    "seed": "Seed of the split; the run's own unless --split-seed gives one.",
    "fractions": "Shares of the train, valid and test part.",
}
