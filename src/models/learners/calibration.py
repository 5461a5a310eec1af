"""Calibrate predictions: of the outcomes predicted with 30%, 30% should happen."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.errors import DataRefused
from models.evaluation.metrics import log_loss, multiclass_log_loss

MIN_CLASS_ROWS = 10
FOLDS = 5
EDGE = 1e-9
"""No probability is closer to 0 or 1 than this."""

Array = np.ndarray
Parameters = dict[str, list[float]]


@dataclass(frozen=True)
class Calibrator:
    """A monotone correction of one model's predictions, stored as plain numbers.

    `method` is identity, platt (`slope`, `shift` on the log odds), vector (`slope`, `shift` per class
    on the log probability) or scale (`factor`). Isotonic calibration (points `x`, `y`) is applied for
    older models but no longer fitted: it gives equal scores to customers that the trees separate.
    """

    kind: str
    method: str = "identity"
    parameters: Parameters | None = None

    @classmethod
    def fit(
        cls, kind: str, prediction: Array, y: Array, weight: Array | None = None
    ) -> "Calibrator":
        """Fit the correction on rows the model was not trained on.

        Stays identity when 5-fold cross-validation on these rows shows no improvement, or when a
        class has fewer than 10 rows. The criterion is log loss; for a regression, the distance of the
        mean prediction from the actual mean.
        """
        prediction, y = np.asarray(prediction, dtype=float), np.asarray(y, dtype=float)
        w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
        if len(prediction) != len(y) or not np.isfinite(prediction).all():
            raise DataRefused(
                f"{len(prediction)} predictions for {len(y)} outcomes, "
                f"{int((~np.isfinite(prediction)).sum())} not finite; each outcome needs one number"
            )
        method = _method(kind, prediction, y)
        if method == "identity" or not _improves(kind, method, (prediction, y, w)):
            return cls(kind)
        parameters = FITTERS[method](prediction, y, w)
        return cls(kind, method, parameters) if parameters else cls(kind)

    def apply(self, prediction: Array) -> Array:
        """Correct predictions (same shape); probabilities lie strictly between 0 and 1."""
        p = np.asarray(prediction, dtype=float)
        if self.kind == "regression":
            return np.asarray(p * self.parameters["factor"][0]) if self.parameters else p
        if self.parameters:
            p = CORRECTIONS[self.method](p, {k: np.array(v) for k, v in self.parameters.items()})
        p = np.clip(p, EDGE, 1 - EDGE)
        return np.asarray(p / p.sum(axis=1, keepdims=True)) if p.ndim == 2 else p

    def to_json(self) -> str:
        """The correction as JSON text."""
        content = {"kind": self.kind, "method": self.method, "parameters": self.parameters}
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> "Calibrator":
        """Read the output of `to_json`; raises DataRefused for any other text."""
        try:
            content = json.loads(text)
            kind, method, parameters = (content[k] for k in ("kind", "method", "parameters"))
            numbers = {k: [float(v) for v in values] for k, values in (parameters or {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataRefused(
                f"calibrator.json cannot be read ({type(error).__name__}: {error}); "
                "it should hold kind, method and parameters"
            ) from error
        if set(numbers) != set(PARAMETER_NAMES.get(method, {"a known method"})):
            raise DataRefused(
                f"calibrator.json: method {method!r} with {sorted(numbers)}; "
                f"the methods and their parameters are {PARAMETER_NAMES}"
            )
        return cls(kind, method, numbers or None)


PARAMETER_NAMES: dict[str, tuple[str, ...]] = {
    "identity": (),
    "isotonic": ("x", "y"),
    "platt": ("slope", "shift"),
    "vector": ("slope", "shift"),
    "scale": ("factor",),
}


def _method(kind: str, prediction: Array, y: Array) -> str:
    if kind == "regression":
        return "scale" if len(y) >= FOLDS * MIN_CLASS_ROWS else "identity"
    classes = prediction.shape[1] if prediction.ndim == 2 else 2
    rarest = int(np.bincount(y.astype(np.int64), minlength=classes).min()) if len(y) else 0
    if rarest < MIN_CLASS_ROWS:
        return "identity"
    return "platt" if kind == "binary" else "vector"


def _improves(kind: str, method: str, rows: tuple[Array, Array, Array]) -> bool:
    """Whether the correction improves the loss in cross-validation."""
    prediction, y, weight = rows
    fold = _folds(kind, y)
    corrected_loss, plain_loss = 0.0, 0.0
    for held in range(FOLDS):
        test, train = fold == held, fold != held
        parameters = FITTERS[method](prediction[train], y[train], weight[train])
        if not parameters:
            return False
        corrected = Calibrator(kind, method, parameters).apply(prediction[test])
        plain = Calibrator(kind).apply(prediction[test])
        corrected_loss += _loss(kind, y[test], corrected, weight[test]) * weight[test].sum()
        plain_loss += _loss(kind, y[test], plain, weight[test]) * weight[test].sum()
    return corrected_loss < plain_loss


def _folds(kind: str, y: Array) -> Array:
    """Random folds, stratified by class."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    if kind != "regression":
        order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    fold[order] = np.arange(len(y)) % FOLDS
    return fold


def _loss(kind: str, y: Array, prediction: Array, weight: Array) -> float:
    if kind == "regression":
        return float(abs((prediction - y) @ weight) / max(weight.sum(), EDGE))
    return (log_loss if kind == "binary" else multiclass_log_loss)(y, prediction, weight)


def _log_odds(p: Array) -> Array:
    p = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(p) - np.log1p(-p))


def _fit_platt(prediction: Array, y: Array, weight: Array) -> Parameters | None:
    from sklearn.linear_model import LogisticRegression  # training only

    fitted = LogisticRegression(C=1e4).fit(_log_odds(prediction)[:, None], y, weight)
    slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return {"slope": [slope], "shift": [shift]} if slope > 0 else None


def _platt(p: Array, known: dict[str, Array]) -> Array:
    score = np.clip(known["slope"] * _log_odds(p) + known["shift"], -500, 500)
    return np.asarray(1 / (1 + np.exp(-score)))


def _isotonic(p: Array, known: dict[str, Array]) -> Array:
    return np.asarray(np.interp(p, known["x"], known["y"]))


def _fit_vector(prediction: Array, y: Array, weight: Array) -> Parameters:
    """Vector scaling (Guo et al. 2017), lightly regularized towards the identity."""
    from scipy.optimize import minimize

    k = prediction.shape[1]
    logs = np.log(np.clip(prediction, EDGE, 1))
    hit = np.eye(k)[y.astype(np.int64)]
    share = weight[:, None] / weight.sum()
    start = np.concatenate([np.ones(k), np.zeros(k)])
    penalty = 1.0 / len(y)

    def loss(theta: Array) -> tuple[float, Array]:
        p = _softmax(theta[:k] * logs + theta[k:])
        away = theta - start
        error = (p - hit) * share
        value = -(share * hit * np.log(np.maximum(p, 1e-300))).sum() + penalty * (away @ away)
        slope = np.concatenate([(error * logs).sum(axis=0), error.sum(axis=0)])
        return float(value), slope + 2 * penalty * away

    # A positive slope keeps the result monotone in the probability of the class.
    bounds = [(0.05, 20.0)] * k + [(-20.0, 20.0)] * k
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return {"slope": best[:k].tolist(), "shift": best[k:].tolist()}


def _softmax(score: Array) -> Array:
    powers = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _vector(p: Array, known: dict[str, Array]) -> Array:
    return _softmax(known["slope"] * np.log(np.clip(p, EDGE, 1)) + known["shift"])


def _fit_scale(prediction: Array, y: Array, weight: Array) -> Parameters | None:
    predicted, actual = float(prediction @ weight), float(y @ weight)
    return {"factor": [actual / predicted]} if predicted > 0 and actual > 0 else None


FITTERS: dict[str, Callable[[Array, Array, Array], Parameters | None]] = {
    "platt": _fit_platt,
    "vector": _fit_vector,
    "scale": _fit_scale,
}
CORRECTIONS: dict[str, Callable[[Array, dict[str, Array]], Array]] = {
    "platt": _platt,
    "isotonic": _isotonic,
    "vector": _vector,
}
