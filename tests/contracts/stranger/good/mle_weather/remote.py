"""Runs on the hosts: the temperature of every thermal zone, in degrees; None where a zone gives no number.

The machine room's own sensors are beside the kernel's: a daemon of theirs writes them below /tmp/weather.
"""

import glob
import os


def sample_weather(state):
    zones = {}
    paths = glob.glob("/sys/class/thermal/thermal_zone*/temp") + glob.glob("/tmp/weather/*/temp")
    for path in sorted(paths):
        try:
            with open(path) as file:
                zones[os.path.basename(os.path.dirname(path))] = int(file.read()) / 1000.0
        except (OSError, ValueError):
            zones[os.path.basename(os.path.dirname(path))] = None
    return {"zones": zones}


SAMPLERS = {"weather": sample_weather}
