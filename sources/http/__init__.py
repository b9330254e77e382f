"""The HTTP door: events, what users did, and webhooks of payment providers become events."""

from sources.errors import SourceError
from sources.http.acknowledge import Acknowledged
from sources.http.application import Api
from sources.http.keys import SCOPES, ApiKey, KeyFile
from sources.http.options import ApiOptions
from sources.http.protocol import limited_protocol

__all__ = ["SCOPES", "Acknowledged", "Api", "ApiKey", "ApiOptions", "KeyFile", "SourceError", "limited_protocol"]
