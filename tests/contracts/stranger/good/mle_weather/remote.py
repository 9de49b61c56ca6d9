"""Runs on the hosts: the temperature of every thermal zone, in degrees; None where a zone gives no number."""

import glob
import os


def sample_weather(state):
    zones = {}
    for path in sorted(glob.glob("/sys/class/thermal/thermal_zone*/temp")):
        try:
            with open(path) as file:
                zones[os.path.basename(os.path.dirname(path))] = int(file.read()) / 1000.0
        except (OSError, ValueError):
            zones[os.path.basename(os.path.dirname(path))] = None
    return {"zones": zones}


SAMPLERS = {"weather": sample_weather}
