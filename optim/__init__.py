"""Sharpness-aware optimizers around any torch optimizer, and the schedules that go with them.

Example:
    >>> import torch, optim
    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = optim.GraphSAM(torch.optim.Adam(model.parameters(), lr=1e-4), rho=0.05)
"""

from optim.aesam import AESAM
from optim.averaging import WeightAverage
from optim.bases import BASES, fused_option, resolve_base
from optim.context import StepContext
from optim.esam import ESAM, ChoosesSamples, SampleClosure
from optim.friendly_sam import FriendlySAM
from optim.graphsam import GraphSAM
from optim.graphsam_k import GraphSAMK
from optim.graphsam_paper import PaperGraphSAM
from optim.groups import norm_only_groups
from optim.gsam import GSAM
from optim.looksam import LookSAM
from optim.msam import MSAM
from optim.plan import Plan
from optim.probe import Ascent, AscentProbe
from optim.record import StepRecord
from optim.released import ReleasedGraphSAM
from optim.rst import RST
from optim.running_stats import frozen_running_stats
from optim.sam import ASAM, SAM
from optim.sam_k import SAMK
from optim.sam_one import SAMOne
from optim.schedules import InverseSqrtLR, NoamLR, compounding_rho, proportional_rho, smooth_rho, step_rho
from optim.sharpness_aware import SharpnessAware
from optim.unperturbed import Unperturbed, as_sharpness_aware
from optim.vasso import VaSSO
from optim.vectors import Vector
from optim.wsam import WSAM

RULES: dict[str, type[SharpnessAware]] = {
    "unperturbed": Unperturbed,
    "sam": SAM,
    "asam": ASAM,
    "sam_k": SAMK,
    "looksam": LookSAM,
    "esam": ESAM,
    "ae_sam": AESAM,
    "rst": RST,
    "gsam": GSAM,
    "msam": MSAM,
    "friendly_sam": FriendlySAM,
    "vasso": VaSSO,
    "wsam": WSAM,
    "sam_one": SAMOne,
    "graphsam": GraphSAM,
    "graphsam_k": GraphSAMK,
    "graphsam_paper": PaperGraphSAM,
}
"""Every member of the family by the name that catalogs use; registering a class here tests it."""

__all__ = [
    "AESAM",
    "ASAM",
    "BASES",
    "ESAM",
    "GSAM",
    "MSAM",
    "RST",
    "RULES",
    "SAM",
    "SAMK",
    "WSAM",
    "Ascent",
    "AscentProbe",
    "ChoosesSamples",
    "FriendlySAM",
    "GraphSAM",
    "GraphSAMK",
    "InverseSqrtLR",
    "LookSAM",
    "NoamLR",
    "PaperGraphSAM",
    "Plan",
    "ReleasedGraphSAM",
    "SAMOne",
    "SampleClosure",
    "SharpnessAware",
    "StepContext",
    "StepRecord",
    "Unperturbed",
    "VaSSO",
    "Vector",
    "WeightAverage",
    "as_sharpness_aware",
    "compounding_rho",
    "frozen_running_stats",
    "fused_option",
    "norm_only_groups",
    "proportional_rho",
    "resolve_base",
    "smooth_rho",
    "step_rho",
]
