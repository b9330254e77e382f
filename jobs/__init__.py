"""The domain, pure Python: a fold from (state, event) to (state, effects), without I/O, clock or randomness.

`Fold` is one partition's state and its step; `EVENT_TYPES` are the events it takes, `EFFECT_TYPES` what it puts out.
"""

from jobs import effects
from jobs.company import CompanySettings, settings_from
from jobs.effects import StepResult
from jobs.fold import Fold
from jobs.handlers import EVENT_TYPES

EFFECT_TYPES = (
    effects.LedgerEntry,
    effects.Item,
    effects.Receipt,
    effects.AccountAging,
    effects.AgingTransition,
    effects.DisputeEntry,
    effects.Account,
    effects.Action,
    effects.Alert,
    effects.ExceptionCase,
    effects.DisputeCase,
    effects.Promise,
    effects.Rejection,
    effects.Carried,
)

__all__ = ["EFFECT_TYPES", "EVENT_TYPES", "CompanySettings", "Fold", "StepResult", "settings_from"]
