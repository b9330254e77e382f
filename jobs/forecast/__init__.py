"""When will an invoice be paid: chances by day from the account's own history, shrunk to that of its peers.

Pure: histories in, chances out. What was not known at a date cannot be used for it, because the histories are cut there
by whoever makes them (SEMANTICS 7, forecast).
"""

from jobs.forecast.baselines import average_delays, days_late_by_average
from jobs.forecast.hazard import Hazard
from jobs.forecast.model import Forecast, History, fit
from jobs.forecast.scores import area_under_curve, mean_absolute_error

__all__ = [
    "Forecast",
    "Hazard",
    "History",
    "area_under_curve",
    "average_delays",
    "days_late_by_average",
    "fit",
    "mean_absolute_error",
]
