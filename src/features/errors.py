"""The project's exceptions as one tree, and the exit codes of the `goodwill` command.

GoodwillError
├── ConfigRefused      exit 3  the company's TOML or a setting is wrong
├── DataRefused        exit 3  the company's data break the contract or cannot train a target
│   ├── LeakFound      exit 3  the leakage check found data that reveal the future to a model
│   └── NothingTrained exit 6  no target could be trained
├── GateFailed         exit 4  no model was good enough to be promoted
├── AlreadyRunning     exit 5  another command for the same company holds the lock
├── PartMissing        exit 7  models were published, but a part of evaluation or report failed
└── EnvironmentFailed  exit 9  disk, database, source or port failed; the data may be fine
"""

#: The exit codes of every command. Documents, the help of `make` and the systemd unit follow this table.
EXIT_CODES = {
    0: "Done. A target that was skipped is a warning in the status.",
    2: "The command line is wrong.",
    3: "The data, the company file or a setting is refused; nothing was changed.",
    4: "A target has neither a new model nor a champion that is fit to be served.",
    5: "Another command for the same company is running.",
    6: "No target could be trained; the former results stay.",
    7: "The models are published, but a part of evaluation or report is missing.",
    8: "Waiting for approval (reserved).",
    9: "The environment failed: disk, tracking database, source, or a port in use.",
}
#: Codes after which a scheduled run needs somebody's attention; 5 and 8 are part of normal operation.
FAILURES = (2, 3, 4, 6, 7, 9)


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


class NothingTrained(DataRefused):
    """No target of the company could be trained."""

    exit_code = 6


class GateFailed(GoodwillError):
    """Training worked, but no new model and no champion is fit to be served."""

    exit_code = 4


class AlreadyRunning(GoodwillError):
    """Another command for the same company is running."""

    exit_code = 5


class PartMissing(GoodwillError):
    """The models are published, but a part of evaluation or report could not be made."""

    exit_code = 7


class EnvironmentFailed(GoodwillError):
    """The disk, the tracking database, a source or a port failed; the company's data may be fine."""

    exit_code = 9
