"""The project's exceptions, as one tree.

GoodwillError
├── ConfigRefused    exit 3  the company's TOML or a setting is wrong
├── DataRefused      exit 3  the company's data break the contract or cannot train a target
│   └── LeakFound    exit 3  the leakage check found data that reveal the future to a model
├── GateFailed       exit 4  no model was good enough to be promoted
└── AlreadyRunning   exit 5  another retrain of the same company holds the lock
"""


class GoodwillError(Exception):
    """An error a user can fix: the message says what was wrong, the value, and what would be right."""

    exit_code = 1


class ConfigRefused(GoodwillError):
    """The company's TOML file or a setting cannot be used."""

    exit_code = 3


class DataRefused(GoodwillError):
    """The company's data break the contract, or hold too little to train on."""

    exit_code = 3


class LeakFound(DataRefused):
    """Features, labels or data would reveal to a model what cannot be known when it predicts."""


class GateFailed(GoodwillError):
    """Training worked, but no new model and no champion is fit to be served."""

    exit_code = 4


class AlreadyRunning(GoodwillError):
    """Another retrain of the same company is running."""

    exit_code = 5
