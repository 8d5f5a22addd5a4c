"""The format of the log: every line of an RPC under its call id, client text escaped."""

import logging
import sys
from types import TracebackType

from pixy_grpc.web.scope import current_scope

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

NO_CALL = "-"
"""Stands for the call id on lines that belong to no RPC."""

_FORMAT = (
    "%(asctime)s,%(msecs)03d %(levelname)s %(call_id)s"
    " [%(thread)d] [%(funcName)s:%(lineno)d] %(message)s"
)


class CallFormatter(logging.Formatter):
    """One line an event: control characters are escaped, so that no text forges a line.

    A traceback of ours follows on lines of its own.
    """

    def __init__(self) -> None:
        super().__init__(_FORMAT, datefmt="%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line and its traceback, not one that another formatter left behind."""
        record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line, its call id filled in."""
        scope = current_scope()
        record.call_id = scope.call_id if scope else NO_CALL
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """Return the traceback, indented: no line of an error's text passes for an event."""
        lines = super().formatException(ei).split("\n")
        return "\n".join("    " + _escaped(line) for line in lines)


def _escaped(text: str) -> str:
    if text.isprintable():  # nearly every line, in a hundredth of the time
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def configure_logs(level: str) -> None:
    """Write the log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CallFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pixy_grpc").setLevel(level)
    # It logs metadata that is not ASCII, a token among it, with a traceback.
    logging.getLogger("grpc._cython.cygrpc").setLevel(logging.CRITICAL + 1)
