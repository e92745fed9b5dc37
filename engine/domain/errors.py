"""One tree of errors. Each says what is wrong and what to do, in words for the person who reads it.

Owns the texts' shape and the exit codes; never prints and never logs. `exit_code` follows the command's
promise: 1 the answer is no, 2 usage, 3 something we depend on is not there.
"""

from __future__ import annotations


class CovenantError(Exception):
    """Base of every error a person may see: `message` says what is wrong, `do` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, do: str = "") -> None:
        """Say what is wrong and what to do."""
        super().__init__(message)
        self.message = message
        self.do = do

    def __str__(self) -> str:
        """Give the sentence and, where there is one, what to do."""
        return f"{self.message} {self.do}".strip()


class UsageError(CovenantError):
    """The command, a setting or a query was written wrongly."""

    exit_code = 2


class Refusal(CovenantError):
    """One event or line that is not taken in: which field, what was expected, what to do."""

    def __init__(self, message: str, do: str = "", *, code: str = "invalid", field: str = "") -> None:
        """Say also which field, and give the reason a code that programs can count by."""
        super().__init__(message, do)
        self.code = code
        self.field = field


class PolicyError(CovenantError):
    """A policy, its data or its bundle can't be used."""


class IntegrityError(CovenantError):
    """What is stored contradicts itself or what is re-made from it."""


class NotFound(CovenantError):
    """There is no such decision, violation, event or bundle."""


class DependencyMissing(CovenantError):
    """Something Covenant depends on isn't there (OPA, a broker, a store, a program)."""

    exit_code = 3


class EvaluatorUnavailable(DependencyMissing):
    """The policy engine doesn't answer, or answers for another revision."""


class StoreUnavailable(DependencyMissing):
    """The store can't be opened, read or written."""


class BrokerUnavailable(DependencyMissing):
    """The broker can't be reached."""


class LaneConflict(CovenantError):
    """Another worker wrote this lane since we read it; our copy of its state is void."""
