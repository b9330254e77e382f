"""A company's calendar: its local days, its midnights and its business days (SEMANTICS 2.1, 2.2, 3.1)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.values import Day, Instant, date_of, day_of, instant_of, moment_of

_SLOT = 900_000_000  # microseconds: nearly every local midnight begins a quarter of an hour of UTC
_SLOTS_MAX = 50_000
_WEEKDAY_OF_EPOCH = 3  # 1970-01-01 was a Thursday; Monday is 0
_SATURDAY = 5


class Calendar:
    """Days of one company: IANA time zone and holidays. Immutable but for its caches."""

    __slots__ = ("_business_days", "_day_of_slot", "_holidays", "_midnights", "_zone")

    def __init__(self, timezone: str, holidays: frozenset[Day] = frozenset()) -> None:
        self._zone = ZoneInfo(timezone)
        self._holidays = holidays
        self._day_of_slot: dict[int, Day] = {}
        self._midnights: dict[Day, Instant] = {}
        self._business_days: dict[tuple[Day, int], Day] = {}

    def day(self, instant: Instant) -> Day:
        """The company's local date at an instant. 23:30Z may already be tomorrow (SEMANTICS 2.2)."""
        slot = instant // _SLOT
        known = self._day_of_slot.get(slot)
        if known is not None:
            return known
        begins, ends = Instant(slot * _SLOT), Instant((slot + 1) * _SLOT - 1)
        day = self._local_day(begins)
        if day != self._local_day(ends):  # the clocks of St. John's changed at 00:01 until 2011
            return self._local_day(instant)
        if len(self._day_of_slot) >= _SLOTS_MAX:
            self._day_of_slot.clear()
        self._day_of_slot[slot] = day
        return day

    def _local_day(self, instant: Instant) -> Day:
        return day_of(moment_of(instant).astimezone(self._zone).date())

    def midnight(self, day: Day) -> Instant:
        """The instant at which a local day begins. Where a clock change skips midnight, the moment of the change."""
        known = self._midnights.get(day)
        if known is None:
            calendar_date = date_of(day)
            local = datetime(calendar_date.year, calendar_date.month, calendar_date.day, tzinfo=self._zone)
            if len(self._midnights) >= _SLOTS_MAX:
                self._midnights.clear()
            known = self._midnights[day] = instant_of(local.astimezone(UTC))
        return known

    def is_business_day(self, day: Day) -> bool:
        """Neither Saturday, Sunday nor a holiday of the company."""
        return (day + _WEEKDAY_OF_EPOCH) % 7 < _SATURDAY and day not in self._holidays

    def business_days_after(self, day: Day, count: int) -> Day:
        """The day that lies `count` business days strictly after `day`; `day` itself for a count of 0."""
        known = self._business_days.get((day, count))
        if known is None:
            known = day
            left = count
            while left > 0:
                known = Day(known + 1)
                if self.is_business_day(known):
                    left -= 1
            if len(self._business_days) >= _SLOTS_MAX:
                self._business_days.clear()
            self._business_days[day, count] = known
        return known
