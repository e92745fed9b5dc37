"""A worker that is soon missed: it runs as `covenant worker` does, with a short session, in a process of its own."""

from __future__ import annotations

from engine import bootstrap
from engine.settings import read_settings
from streams.lanes import Pace
from streams.running import run_worker
from streams.worker import Options

SESSION_S = 6.0
UNTIL_DRAINED = ("-c", "from tests.streams.frozen import main; main()")
SOON_MISSED = ("-c", "from tests.streams.frozen import main; main(until_drained=False)")


def main(*, until_drained: bool = True) -> None:
    """Run until all is done, or until it is ended."""
    settings = read_settings()
    options = Options(pace=Pace(batch=settings.batch, quiet_s=0.2), session_s=SESSION_S)
    with bootstrap.make_body(settings, lanes=settings.lanes, publish=True) as body:
        run_worker(body, settings.broker, bootstrap.now_us, options=options, say=print, until_drained=until_drained)


if __name__ == "__main__":
    main()
