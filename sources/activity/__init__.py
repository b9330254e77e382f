"""What users and systems did, as their logs tell it: JSON lines and syslog lines become activities and decisions."""

from sources.activity.adapter import ActivityLines

__all__ = ["ActivityLines"]
