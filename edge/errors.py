"""Every error that the appliance raises on purpose.

EdgeError
    ConfigurationError     a file, key or option is wrong; the message names all three
    InputError             an image, template or exchange file cannot be used
    ModelError             a model is missing, damaged or not the pinned one
    CaptureError           a device did not deliver a sample
        DeviceAbsentError      it is not there, or went away
        CaptureTimeoutError    nobody presented a finger or a face in time
    StoreError             the database cannot be opened, read or written
    WatchlistError         a watchlist change is refused
    MessageError           a message from the other side is refused
    LinkError              no connection to the broker

The message is one line, names what and where, and says what to do. The command line
prints it and exits with status 2; a long-running process logs it and goes on.
"""


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


class StoreError(EdgeError):
    pass


class WatchlistError(EdgeError):
    pass


class MessageError(EdgeError):
    pass


class LinkError(EdgeError):
    pass
