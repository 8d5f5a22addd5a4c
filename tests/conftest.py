"""What holds for every test."""

import signal

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Have nothing fail for being slow, and everything interruptible."""
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")
    _let_programs_be_interrupted()


def _let_programs_be_interrupted() -> None:
    """Let the programs that tests start be interrupted, whoever runs the tests.

    A shell has what it runs in the background ignore SIGINT, nohup SIGHUP, and both pass
    that on to everything that is started there.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
