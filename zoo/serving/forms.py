"""Bodies of requests, which are checked and documented by their types."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_NEIGHBORS = 10

Coverage = Annotated[
    float | None, Field(gt=0, lt=1, description="share of the true values that intervals or sets hold")
]
Neighbors = Annotated[int, Field(ge=0, le=MOST_NEIGHBORS, description="nearest training molecules to name")]
Uncertainty = Annotated[str | None, Field(max_length=50, description="estimator, one of those of the run")]
Domain = Annotated[bool, Field(description="compare with the training molecules, for runs that have kept them")]
Runs = Annotated[list[str] | None, Field(max_length=100, description="names of runs; all unless some are named")]
Features = Annotated[
    dict[str, list[float | None]],
    Field(default_factory=dict, max_length=1000, description="numbers next to the molecules, for runs that read some"),
]


class Form(BaseModel):
    """Base class of bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class How(Form):
    """Additions to predictions; a run leaves out those that it does not have, see `/api/runs`."""

    domain: Domain = False
    neighbors: Neighbors = 0
    uncertainty: Uncertainty = None
    coverage: Coverage = None


class PredictForm(How):
    """Molecules to predict at once."""

    molecules: list[str | list[str]] = Field(
        min_length=1, description="SMILES, or one list for each row where the runs read several molecules"
    )
    runs: Runs = None
    features: Features

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"molecules": ["CCO", "c1ccccc1O"], "domain": True}}
    )


class ExplainForm(Form):
    """A prediction to attribute to atoms."""

    molecule: str = Field(min_length=1, description="a SMILES")
    run: str | None = Field(None, description="name of the run; the first unless it is named")
    task: str | None = Field(None, max_length=200, description="the first unless it is named")
    class_name: str | None = Field(None, max_length=200, description="class whose probability is explained")
    method: str | None = Field(None, max_length=50, description="name from `molzoo list explainers`")
    features: Features

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"molecule": "c1ccccc1O"}})


class LoginForm(Form):
    """The token of the server."""

    token: str = Field(max_length=500)
