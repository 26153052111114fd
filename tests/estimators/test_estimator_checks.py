"""scikit-learn's own checks of estimators.

They feed tables of numbers, and skip estimators that take anything else. The adapters below write each row as a
molecule, whose chains are as long as the numbers are large, and check everything that lies behind: parameters, labels,
weights, pickles, errors.
"""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from zoo.sklearn import MoleculeClassifier, MoleculeRegressor

TREES = {"num_trees": 10, "num_jobs": 1}
LINKS = ("N", "O", "S", "P", "B", "[Si]")
LONGEST = 12


def molecules_of(table):
    """Write each row of numbers (n, F) as SMILES: a chain for each number, linked by another element each."""
    lengths = np.clip(np.round(4 + 2 * np.asarray(table, dtype=float)), 0, LONGEST).astype(int)
    return ["C" + "".join(LINKS[n % len(LINKS)] + "C" * length for n, length in enumerate(row)) for row in lengths]


class FromNumbers:
    """Mixin that lets an estimator of molecules read tables of numbers."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        tags.input_tags.string = False
        return tags

    def fit(self, X, y, sample_weight=None):
        table = validate_data(self, X)
        super().fit(molecules_of(table), y, sample_weight)
        validate_data(self, X)  # number and names of the columns
        return self

    def _values(self, X):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        return super()._values(molecules_of(validate_data(self, X, reset=False)))

    def score(self, X, y, sample_weight=None):
        from sklearn.metrics import accuracy_score, r2_score

        metric = accuracy_score if isinstance(self, MoleculeClassifier) else r2_score
        return metric(y, self.predict(X), sample_weight=sample_weight)


class NumberClassifier(FromNumbers, MoleculeClassifier):
    """Classifier of tables of numbers."""


class NumberRegressor(FromNumbers, MoleculeRegressor):
    """Regressor of tables of numbers."""


EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "a forest draws rows before it weighs them, as scikit-learn's own"
}


@parametrize_with_checks(
    [NumberClassifier("random_forest", model_args=TREES), NumberRegressor("random_forest", model_args=TREES)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)
