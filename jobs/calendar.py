"""A company's calendar: its local days, its midnights and its business days (SEMANTICS 2.1, 2.2, 3.1)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.values import Day, Instant, date_of, day_of, instant_of

_SLOT = 900_000_000  # microseconds: since 1972 every UTC offset is a multiple of a quarter of an hour
_SLOTS_MAX = 50_000
_FIRST_REGULAR = Instant(63_072_000_000_000)  # 1972-01-01T00:00:00Z
_WEEKDAY_OF_EPOCH = 3  # 1970-01-01 was a Thursday; Monday is 0
_SATURDAY = 5


class Calendar:
    """Days of one company: IANA time zone and holidays. Immutable but for its cache."""

    __slots__ = ("_day_of_slot", "_holidays", "_zone")

    def __init__(self, timezone: str, holidays: frozenset[Day] = frozenset()) -> None:
        self._zone = ZoneInfo(timezone)
        self._holidays = holidays
        self._day_of_slot: dict[int, Day] = {}

    def day(self, instant: Instant) -> Day:
        """The company's local date at an instant. 23:30Z may already be tomorrow (SEMANTICS 2.2)."""
        slot = instant // _SLOT
        known = self._day_of_slot.get(slot)
        if known is not None:
            return known
        seconds, micros = divmod(instant, 1_000_000)
        local = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).astimezone(self._zone)
        day = day_of(local.date())
        if instant >= _FIRST_REGULAR:
            if len(self._day_of_slot) >= _SLOTS_MAX:
                self._day_of_slot.clear()
            self._day_of_slot[slot] = day
        return day

    def midnight(self, day: Day) -> Instant:
        """The instant at which a local day begins. Where a clock change skips midnight, the moment of the change."""
        calendar_date = date_of(day)
        local = datetime(calendar_date.year, calendar_date.month, calendar_date.day, tzinfo=self._zone)
        return instant_of(local.astimezone(UTC))

    def is_business_day(self, day: Day) -> bool:
        """Neither Saturday, Sunday nor a holiday of the company."""
        return (day + _WEEKDAY_OF_EPOCH) % 7 < _SATURDAY and day not in self._holidays

    def business_days_after(self, day: Day, count: int) -> Day:
        """The day that lies `count` business days strictly after `day`; `day` itself for a count of 0."""
        while count > 0:
            day = Day(day + 1)
            if self.is_business_day(day):
                count -= 1
        return day
