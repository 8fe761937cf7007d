"""Every error that the appliance raises on purpose.

EdgeError
    ConfigurationError     a file, key or option is wrong; the message names all three
    InputError             an image, template or exchange file cannot be used
    ModelError             a model is missing, damaged or not the pinned one
    CaptureError           a device did not deliver a sample
        DeviceAbsentError      it is not there, or went away
        CaptureTimeoutError    nobody presented a finger or a face in time
        CaptureCancelledError  it is no longer wanted
    StoreError             the database cannot be opened, read or written
    WatchlistError         a watchlist change is refused
    AdjudicationError      a verdict on a hit is refused: decided, or by the same person
    MessageError           a message from the other side is refused
        RefusalError           it is well formed, but must not be trusted; says why
    DrillError             a drill cannot be held: nobody to present, or one waits
    LinkError              no connection to the broker
    CaseError              what an operator wants to do to a case or a draft is refused

The message is one line, names what and where, and says what to do. The command line
prints it and exits with status 2; a long-running process logs it and goes on.
"""

from enum import StrEnum


class EdgeError(Exception):
    """Base of all errors of the appliance."""


class ConfigurationError(EdgeError):
    pass


class InputError(EdgeError):
    pass


class ModelError(EdgeError):
    pass


class CaptureError(EdgeError):
    pass


class DeviceAbsentError(CaptureError):
    pass


class CaptureTimeoutError(CaptureError):
    pass


class CaptureCancelledError(CaptureError):
    pass


class StoreError(EdgeError):
    pass


class WatchlistError(EdgeError):
    pass


class AdjudicationError(EdgeError):
    pass


class MessageError(EdgeError):
    pass


class RefusalReason(StrEnum):
    """Why a signed object is not trusted; each is an attack or a fault of its own.

    ROLLBACK: older than what was accepted before. EXPIRED: too old to say anything
    about now. FUTURE: made later than now; one of the clocks is wrong. WRONG_SIGNER:
    not by a key that may say this. WRONG_READER: made for another booth. WRONG_LOG: of
    another watchlist log. GAP: something before it is missing. FORK: it continues
    another past. MIXED: its parts do not belong together. TOO_LARGE: over what is ever
    needed. NO_KEY: encrypted in an epoch that this booth has no key of. REPEATED: acted
    on before.
    """

    ROLLBACK = "rollback"
    EXPIRED = "expired"
    FUTURE = "future"
    WRONG_SIGNER = "wrong_signer"
    WRONG_READER = "wrong_reader"
    WRONG_LOG = "wrong_log"
    GAP = "gap"
    FORK = "fork"
    MIXED = "mixed"
    TOO_LARGE = "too_large"
    NO_KEY = "no_key"
    REPEATED = "repeated"


class RefusalError(MessageError):
    def __init__(self, reason: RefusalReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DrillError(EdgeError):
    pass


class LinkError(EdgeError):
    pass


class CaseProblem(StrEnum):
    """Why an operator may not do that.

    UNKNOWN: there is no such case or draft. CLOSED: it is over. TAKEN: it is another's.
    NOT_CLAIMED: it has to be claimed first. WRONG_OUTCOME: it cannot end like this.
    SAME_PERSON: a second person has to do it.
    """

    UNKNOWN = "unknown"
    CLOSED = "closed"
    TAKEN = "taken"
    NOT_CLAIMED = "not_claimed"
    WRONG_OUTCOME = "wrong_outcome"
    SAME_PERSON = "same_person"


class CaseError(EdgeError):
    def __init__(self, problem: CaseProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem
