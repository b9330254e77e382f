"""The redaction that the settings ask for, for every command that takes something in."""

from pipeline.errors import Problem
from pipeline.settings import RedactionSettings
from sources import SourceError
from sources.redaction import Redactor


def redactor_of(settings: RedactionSettings) -> Redactor:
    """The redactor of these settings. Raises ``Problem`` for a rule that could never apply, and for a missing key."""
    try:
        return Redactor(
            settings.fields,
            secret=settings.hash_secret.get_secret_value(),
            numbers=settings.mask_numbers,
            rejects=settings.rejects,
        )
    except SourceError as error:
        raise Problem(error.message, error.advice) from error
