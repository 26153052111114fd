"""An optimizer around an optimizer: shared groups and state, epochs, counters, checkpoints."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.bases import check_base, resolve_base
from optim.memory import Memory
from optim.record import StepRecord

if TYPE_CHECKING:
    from typing_extensions import Self

STATE_KEY = "sharpness_aware"
COUNTERS = ("epoch", "steps", "passes", "skipped", "unperturbed")
TRANSIENT = ("step", "_attempt", "_layout", "_foreign")


class Wrapper(torch.optim.Optimizer):
    """Base class of the family around a base optimizer, apart from the step itself.

    Args:
        base: Optimizer instance.

    Attributes:
        base: The wrapped optimizer.
        epoch: Epoch of the last `set_epoch`; None before the first.
        steps: Steps made, skipped ones included.
        memory: Tensors that the rule remembers for each parameter; saved with the state.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {}
    """Options of the parent classes that this class sets itself, and to what."""

    remembers: ClassVar[tuple[str, ...]] = ()
    """Names of what the rule keeps in `memory`: saved from the first step on, known or not."""

    not_saved: ClassVar[frozenset[str]] = frozenset(
        {"ascent_share", "diagnostics", "max_grad_norm", "model", "no_sync", "same_dropout", "seed", "total_steps"}
    )
    """Options that belong to the run and not to the state; a saved state must not override them."""

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Explain calls that other packages have."""
        checks.no_class_call(cls, args, options)
        return super().__new__(cls)

    def __init__(self, base: torch.optim.Optimizer) -> None:
        check_base(base, type(self).__name__, Wrapper)
        self.base = base
        self.defaults = dict(base.defaults)
        self.__setstate__({})  # torch's own way to get hooks without building groups of our own: they are the base's
        self.memory = Memory()
        self.epoch: int | None = None
        self.steps = self.passes = self.skipped = self.unperturbed = 0
        self.last: StepRecord | None = None

    @classmethod
    def from_params(
        cls,
        params: Iterable[Any],
        base: str | type[torch.optim.Optimizer] = "adam",
        base_args: dict[str, Any] | None = None,
        **rule_options: Any,
    ) -> Self:
        """Build the base optimizer too.

        Args:
            params: Parameters or parameter groups, as any torch optimizer takes them.
            base: Name or class, see `resolve_base`.
            base_args: Arguments of the base, as ``{"lr": 1e-3}``.
            **rule_options: Arguments of this class.

        Example:
            >>> from optim import SAM
            >>> optimizer = SAM.from_params(torch.nn.Linear(2, 1).parameters(), "adamw", {"lr": 1e-3}, rho=0.1)
        """
        return cls(resolve_base(base)(params, **(base_args or {})), **rule_options)

    # The base may rebind both (load_state_dict does), so they are always looked up there.
    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Parameter groups, shared with the base."""
        return self.base.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.base.param_groups = groups

    @property
    def state(self) -> Any:  # type: ignore[override]
        """State of the base, by parameter."""
        return self.base.state

    @state.setter
    def state(self, state: Any) -> None:
        self.base.state = state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the base; ``"perturb": False`` keeps its parameters from being perturbed."""
        self.base.add_param_group(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters."""
        self.base.zero_grad(set_to_none)

    def set_epoch(self, epoch: int) -> None:
        """Tell the rule that an epoch begins, before its first step.

        The same number again changes nothing, so a resumed run may announce the epoch in whose middle it was saved.

        Args:
            epoch: Number of the epoch, >= 0.

        Raises:
            ValueError: Negative or not an integer.
        """
        epoch = checks.nonnegative_int("epoch", epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.start_epoch(epoch)

    def start_epoch(self, epoch: int) -> None:
        """Return what a rule does when an epoch begins."""

    @classmethod
    def options(cls) -> dict[str, Any]:
        """Keyword options of the class, own and inherited, with their defaults.

        Example:
            >>> from optim import SAMK
            >>> list(SAMK.options())[:3]
            ['every', 'rho', 'radius']
        """
        found: dict[str, Any] = {}
        for parent in cls.__mro__[: cls.__mro__.index(Wrapper)]:
            own = vars(parent).get("__init__")
            for parameter in inspect.signature(own).parameters.values() if own else ():
                if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name not in cls.fixed_options:
                    found.setdefault(parameter.name, parameter.default)
        return found

    def rule_state(self) -> dict[str, Any]:
        """Return what must be saved besides `memory`, by attribute: every number that a schedule may change."""
        values = {name: getattr(self, name, "") for name in self.options() if name not in self.not_saved}
        return {name: value for name, value in values.items() if value is None or type(value) in (int, float)}

    def load_rule_state(self, state: dict[str, Any]) -> None:
        """Take back what `rule_state` gave."""
        for name, value in state.items():
            setattr(self, name, value)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the base with the rule's own under ``"sharpness_aware"``.

        It holds tensors and plain numbers and names, so that it loads with ``weights_only=True``.

        The first parameter group refers to it too, because ``torch.distributed.checkpoint`` keeps nothing but groups
        and the states of parameters.
        """
        for pre_hook in self._optimizer_state_dict_pre_hooks.values():  # type: ignore[attr-defined]
            pre_hook(self)
        own = {name: getattr(self, name) for name in COUNTERS}
        own |= {"rule": type(self).__name__, "rule_state": self.rule_state()}
        own["memory"] = self.memory.state_dict(self._parameters(), self.remembers)
        own["known"] = {name: name in self.memory for name in own["memory"]}
        state = {**self.base.state_dict(), STATE_KEY: own}
        state["param_groups"][0][STATE_KEY] = own
        for post_hook in self._optimizer_state_dict_post_hooks.values():  # type: ignore[attr-defined]
            state = post_hook(self, state) or state
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of the base and of the rule.

        Args:
            state_dict: What `state_dict` of the same class gave, or ``torch.distributed.checkpoint`` made of that.

        Raises:
            ValueError: It is of another rule, or of a plain optimizer.
        """
        for pre_hook in self._optimizer_load_state_dict_pre_hooks.values():  # type: ignore[attr-defined]
            state_dict = pre_hook(self, state_dict) or state_dict
        base, own = _separate(state_dict)
        self.check_owner(own)
        self.base.load_state_dict(base)
        if own is not None:
            for name in COUNTERS:
                setattr(self, name, own[name])
            self.load_rule_state(own.get("rule_state", {}))
            known = own.get("known", {})  # distributed checkpoints drop empty mappings, older states have none
            memory = {name: own["memory"][name] for name in own.get("memory", {}) if known.get(name, True)}
            self.memory.load_state_dict(memory, self._parameters())
        for post_hook in self._optimizer_load_state_dict_post_hooks.values():  # type: ignore[attr-defined]
            post_hook(self)

    def check_owner(self, own: dict[str, Any] | None) -> None:
        """Raise ``ValueError`` unless this is the state of a rule of this class; None: of a plain optimizer."""
        name = type(self).__name__
        rule = None if own is None else own["rule"]
        if rule != name:
            source = "a plain optimizer" if rule is None else rule
            raise ValueError(
                f"this state is of {source}, not of {name}. To go on from it with {name}, load it into the base: "
                f"optimizer.base.load_state_dict(state)"
            )

    def is_frozen(self) -> bool:
        """Return whether all learning rates are 0, as ``torch.distributed.checkpoint`` sets them to create states."""
        return all(float(group.get("lr", 1.0)) == 0 for group in self.param_groups)

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __getstate__(self) -> dict[str, Any]:
        # All of it, for copy.deepcopy and pickle, but for what lasts a step, and a scheduler's patched `step`.
        return {name: value for name, value in self.__dict__.items() if name not in TRANSIENT}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base!r})"


def _separate(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the state of the base, and the rule's own, which stands next to the groups or in the first of them."""
    groups = state.get("param_groups") or [{}]
    own = state.get(STATE_KEY, groups[0].get(STATE_KEY))
    bare = [{key: value for key, value in group.items() if key != STATE_KEY} for group in groups]
    return {**{key: value for key, value in state.items() if key != STATE_KEY}, "param_groups": bare}, own
