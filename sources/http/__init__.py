"""The HTTP door: events, what users did, and webhooks of payment providers become events."""

from sources.errors import SourceError
from sources.http.acknowledge import Acknowledged
from sources.http.application import Api
from sources.http.keys import SCOPES, ApiKey, KeyFile
from sources.http.options import ApiOptions

__all__ = ["SCOPES", "Acknowledged", "Api", "ApiKey", "ApiOptions", "KeyFile", "SourceError"]
