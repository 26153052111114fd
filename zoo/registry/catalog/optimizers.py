"""Every built-in optimizer."""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

OPTIMIZERS: Registry[Any] = Registry("optimizer")

_entry: Entry[Any]
for _entry in (
    Entry("adam", "torch.optim:Adam", "Adam", "Kingma & Ba 2015, arXiv 1412.6980"),
    Entry(
        "adamw", "torch.optim:AdamW", "Adam with decoupled weight decay", "Loshchilov & Hutter 2019, arXiv 1711.05101"
    ),
    Entry("sgd", "torch.optim:SGD", "Stochastic gradient descent", defaults={"lr": 1e-2, "momentum": 0.9}),
    Entry("radam", "torch.optim:RAdam", "Adam with rectified variance", "Liu et al. 2020, arXiv 1908.03265"),
    Entry("adamax", "torch.optim:Adamax", "Adam with the infinity norm", "Kingma & Ba 2015, arXiv 1412.6980"),
    Entry("nadam", "torch.optim:NAdam", "Adam with Nesterov momentum", "Dozat 2016"),
    Entry("sam", "optim:SAM", "Sharpness-aware minimization: two passes a step", "Foret et al. 2021, arXiv 2010.01412"),
    Entry("asam", "optim:ASAM", "SAM scaled to the weights: two passes a step", "Kwon et al. 2021, arXiv 2102.11600"),
    Entry("sam_k", "optim:SAMK", "SAM at every k-th step: 1 + 1/k passes a step", "Liu et al. 2022, arXiv 2203.02714"),
    Entry(
        "looksam",
        "optim:LookSAM",
        "SAM at every k-th step, its sharpness part reused in between: 1 + 1/k passes a step",
        "Liu et al. 2022, arXiv 2203.02714",
    ),
    Entry(
        "looksam_tuned",
        "optim:LookSAM",
        "LookSAM with the values that the authors of GraphSAM tuned for molecules: 1 1/8 passes a step",
        "Liu et al. 2022, arXiv 2203.02714; values of ICLR 2024, arXiv 2406.13137",
        defaults={"rho": 1e-4, "alpha": 0.2, "every": 8},
    ),
    Entry(
        "esam",
        "optim:ESAM",
        "SAM on part of the weights, then on the molecules that suffer: up to two passes a step",
        "Du et al. 2022, arXiv 2110.03141",
    ),
    Entry(
        "ae_sam",
        "optim:AESAM",
        "SAM where the gradient is large for its time: one to two passes a step",
        "Jiang et al. 2023, arXiv 2304.14647",
    ),
    Entry("rst", "optim:RST", "SAM at random steps: 1 + p passes a step", "Zhao et al. 2022, arXiv 2203.09962"),
    Entry(
        "gsam",
        "optim:GSAM",
        "SAM that also narrows the gap to the perturbed loss: two passes a step",
        "Zhuang et al. 2022, arXiv 2203.08065",
    ),
    Entry("msam", "optim:MSAM", "SAM along the momentum: one pass a step", "Becker et al. 2024, arXiv 2401.12033"),
    Entry(
        "friendly_sam",
        "optim:FriendlySAM",
        "SAM along the batch's own part of the gradient: two passes a step",
        "Li et al. 2024, arXiv 2403.12350",
    ),
    Entry(
        "vasso",
        "optim:VaSSO",
        "SAM along a moving average of gradients: two passes a step",
        "Li & Giannakis 2023, arXiv 2309.15639",
    ),
    Entry(
        "wsam",
        "optim:WSAM",
        "SAM with a weight for the sharpness, decoupled from the base: two passes a step",
        "Yue et al. 2023, arXiv 2305.15817",
    ),
    Entry(
        "sam_one",
        "optim:SAMOne",
        "SAM along the first gradient of an epoch: one pass a step, two at the first of an epoch",
        "ICLR 2024, arXiv 2406.13137",
    ),
    Entry(
        "graphsam_k",
        "optim:GraphSAMK",
        "GraphSAM with a true gradient every second epoch only: one pass a step",
        "ICLR 2024, arXiv 2406.13137",
    ),
    Entry(
        "graphsam",
        "optim:GraphSAM",
        "SAM along the previous updating gradients: one pass a step, two at the first of an epoch",
        "ICLR 2024, arXiv 2406.13137, with an anchor of unit length",
    ),
    Entry(
        "graphsam_paper",
        "optim:PaperGraphSAM",
        "GraphSAM as its paper prints it: the anchor keeps its length, rho decays with every epoch",
        "ICLR 2024, arXiv 2406.13137, eqs. 4 and 5",
    ),
    Entry(
        "graphsam_released",
        "optim:ReleasedGraphSAM",
        "GraphSAM as the released code computes it, for comparison only",
        "github.com/YL-wang/GraphSAM",
    ),
):
    OPTIMIZERS.add(_entry)
