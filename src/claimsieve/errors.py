"""Everything that can go wrong for a user, as one small tree.

    ClaimsieveError
    ├── ConfigError          a config or an option is wrong (exit code 2)
    ├── DataError            a corpus, a recipe or a claims file is wrong
    │   └── LeakError        the same story or text would stand on both sides of a split
    ├── ModelError           a model directory is missing, changed, newer or unsafe
    ├── TrainingError        training cannot go on (the loss is not a number, ...)
    ├── TrackingError        the tracking store cannot be reached (exit code 4: the model is saved all the same)
    ├── PromotionError       a condition of the gate does not hold; nothing was changed (exit code 5)
    └── MissingPackageError  an optional package is not installed; the message says what to type

Every message says what was expected, what was found and what to do next. The command line catches
the root only; a programming mistake keeps its traceback.
"""


class ClaimsieveError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with."""

    exit_code = 1


class ConfigError(ClaimsieveError):
    """The config or a command-line option is wrong."""

    exit_code = 2


class DataError(ClaimsieveError):
    """A corpus, a recipe or a claims file is not what it should be."""


class LeakError(DataError):
    """A group or a near-duplicate text would stand on both sides of a split."""


class ModelError(ClaimsieveError):
    """A model directory is missing, incomplete, changed, newer than this version, or unsafe."""


class TrainingError(ClaimsieveError):
    """Training cannot go on."""


class TrackingError(ClaimsieveError):
    """The tracking store cannot be reached or refuses what it is sent."""

    exit_code = 4


class PromotionError(ClaimsieveError):
    """A model does not pass the gate; the registry is as it was."""

    exit_code = 5


class MissingPackageError(ClaimsieveError):
    """An optional package is not installed."""
