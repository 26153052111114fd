"""Checks of option values; each raises with the value and the accepted range."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def nonnegative(name: str, value: Any) -> float:
    """Return ``value`` as a float.

    Raises:
        TypeError: No number.
        ValueError: Negative, infinite or NaN.
    """
    number = _number(name, value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite number >= 0, got {value!r}")
    return number


def positive(name: str, value: Any) -> float:
    """Return ``value`` as a float.

    Raises:
        TypeError: No number.
        ValueError: Not above zero, infinite or NaN.
    """
    number = _number(name, value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be a finite number > 0, got {value!r}")
    return number


def fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float.

    Raises:
        TypeError: No number.
        ValueError: Outside [0, 1].
    """
    number = _number(name, value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}")
    return number


def positive_int(name: str, value: Any) -> int:
    """Return ``value`` as an int; integers of NumPy and torch are integers too.

    Raises:
        ValueError: Not an integer >= 1.
    """
    number = _integer(value)
    if number is None or number < 1:
        raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
    return number


def nonnegative_int(name: str, value: Any) -> int:
    """Return ``value`` as an int; integers of NumPy and torch are integers too.

    Raises:
        ValueError: Not an integer >= 0.
    """
    number = _integer(value)
    if number is None or number < 0:
        raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
    return number


def _number(name: str, value: Any) -> float:
    try:
        if not isinstance(value, str | bytes | bool):
            return float(value)
    except (TypeError, ValueError, RuntimeError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")


def _integer(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return ``value``.

    Raises:
        ValueError: Not one of the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def closure_of(optimizer: str, closure: Any) -> Callable[..., Any]:
    """Return ``closure``.

    Raises:
        TypeError: Missing or not callable.
    """
    if callable(closure):
        return closure
    raise TypeError(
        f"{optimizer}.step() needs a closure, got {closure!r}. Write\n"
        "    def closure():\n        optimizer.zero_grad()\n        loss = criterion(model(inputs), targets)\n"
        "        loss.backward()\n        return loss\n    loss = optimizer.step(closure)"
    )


def no_unknown(rule: Any, unknown: dict[str, Any]) -> None:
    """Complain of an option that a rule does not have.

    Raises:
        TypeError: ``unknown`` is not empty; the message names the closest one and all of them.
    """
    if not unknown:
        return
    known = list(rule.options())
    name = next(iter(unknown))
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise TypeError(f"{rule.__name__} has no option {name!r}.{hint} Its options: {', '.join(known)}")


def without_fixed(rule: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return ``options`` without those that the rule sets itself, if they say the same.

    Raises:
        ValueError: One of them says something else.
    """
    for name, value in rule.fixed_options.items():
        if name in options and options[name] != value:
            parent = next(c for c in rule.__mro__[1:] if name not in getattr(c, "fixed_options", {}))
            raise ValueError(
                f"{rule.__name__} is {parent.__name__} with {name}={value!r}, got {name}={options[name]!r}. "
                f"Leave {name} out, or use another rule"
            )
    return {name: value for name, value in options.items() if name not in rule.fixed_options}


def no_class_call(rule: Any, args: Sequence[Any], options: dict[str, Any]) -> None:
    """Explain a call such as ``SAM(model.parameters(), torch.optim.SGD, lr=0.1)``, as other packages have it.

    Raises:
        TypeError: This is one; the message has the call that works.
    """
    base = args[1] if len(args) > 1 else options.get("base_optimizer")
    if base is None:
        return
    given = {name: value for name, value in options.items() if name != "base_optimizer"}
    own = {name: given.pop(name) for name in list(given) if name in rule.options()}
    base_name = base.__name__ if isinstance(base, type) else repr(base)
    rest = "".join(f", {name}={value!r}" for name, value in own.items())
    raise TypeError(
        f"{rule.__name__} wraps an optimizer that is built already. "
        f"Write {rule.__name__}.from_params(params, {base_name}, {given!r}{rest})"
    )


def no_first_step(attempt: Any) -> None:
    """Complain of a step inside a step.

    Raises:
        RuntimeError: A ``first_step`` waits for its ``second_step``.
    """
    if attempt is not None:
        raise RuntimeError(
            "first_step() has moved the weights, and second_step() must put them back: call it after the second "
            "backward, before another step"
        )


def no_rise(rise: float | None) -> None:
    """Complain of a step without a closure where the loss must be known.

    Raises:
        ValueError: The radius follows a relative rise of the loss.
    """
    if rise is not None:
        raise ValueError(f"rise={rise:g} needs the loss of each step: call step(closure), or give rho instead")


def first_step_of(attempt: T | None) -> T:
    """Return the step that ``first_step`` began.

    Raises:
        RuntimeError: There is none.
    """
    if attempt is None:
        raise RuntimeError("second_step() finishes what first_step() began: call first_step() after the first backward")
    return attempt


def no_sync_of(optimizer: Any, no_sync: Any) -> Any:
    """Return ``no_sync``.

    Raises:
        TypeError: Not callable.
        ValueError: The rule needs the same ascent gradient in all replicas.
    """
    name = type(optimizer).__name__
    if no_sync is None:
        return None
    if not callable(no_sync):
        raise TypeError(f"no_sync must be a context-manager factory such as ddp_model.no_sync, got {no_sync!r}")
    if optimizer.ascent_decides:
        raise ValueError(
            f"{name} uses the ascent gradient in the update or to decide on a second pass, so data-parallel replicas "
            "would drift apart or wait for each other. Leave no_sync=None"
        )
    return no_sync


def ascent_share_of(optimizer: Any, share: Any) -> float:
    """Return ``share``.

    Raises:
        ValueError: Outside (0, 1], or the rule uses the ascent gradient for more than a direction.
    """
    number = positive("ascent_share", share)
    if number > 1:
        raise ValueError(f"ascent_share must lie in (0, 1], got {share!r}")
    if number < 1 and optimizer.ascent_decides:
        raise ValueError(
            f"{type(optimizer).__name__} uses the ascent gradient in the update or to decide on a second pass, so that "
            "it has to be that of the complete batch. Leave ascent_share=1"
        )
    return number


def one_each(name: str, values: Sequence[float] | None, count: int) -> list[float]:
    """Return ``values`` as a list of floats >= 0; ones for None.

    Raises:
        ValueError: Not exactly one value for each parameter group, or a negative one.
    """
    if values is None:
        return [1.0] * count
    if len(values) != count:
        raise ValueError(f"{name} must have one value for each of the {count} parameter groups, got {list(values)!r}")
    return [nonnegative(name, value) for value in values]
