"""What is learned: losses, metrics and the scaling of targets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "losses": ["elementwise_loss", "loss", "masked_mean"],
        "metrics": ["METRICS", "MetricResult", "check_metric", "compute", "evaluate_all", "improved"],
        "scaling": ["TargetScaler"],
    },
)
