# SPDX-License-Identifier: Apache-2.0
"""Profiles of a request."""

import cProfile
import io
import itertools
import pstats

from benchmarks import requests, service
from benchmarks.databases import Place

_REQUESTS = 500
_LINES = 60


def show(place: Place) -> str:
    """Print the most expensive functions of each of the three requests.

    The profiler makes calls of Python functions look dearer than they are.
    """
    application = service.application(place)
    parts = []
    for series in requests.series(place):
        for request in itertools.islice(series.requests, series.turn):
            requests.call(application, request)  # warms up
        profile = cProfile.Profile()
        batch = list(itertools.islice(series.requests, _REQUESTS))
        with profile:
            for request in batch:
                requests.call(application, request)
        text = io.StringIO()
        pstats.Stats(profile, stream=text).sort_stats('cumtime').print_stats(
            _LINES)
        parts.append(f'{series.name}, {_REQUESTS} times\n{text.getvalue()}')
    return '\n'.join(parts)
