"""The methods of the service's metrics: $PendingTasks.GetSample(...) and its siblings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from batch_emulator.formula.errors import ErrorCode, FaultError
from batch_emulator.formula.samples import Metric, SampleStore, Window
from batch_emulator.formula.value_types import Interval, Value, Vector, kind, later, show

# Of the samples of a window, unless the formula says otherwise.
DEFAULT_PERCENT = 70.0
_NOW = Interval(0.0)


@dataclass(frozen=True, slots=True)
class MetricHistory:
    """What one evaluation can read of one metric."""

    samples: SampleStore
    metric: Metric
    now: datetime

    def newest(self) -> float:
        """
        Return the last sample: what a metric without a method means.

        Raises:
            FaultError: There is no sample.
        """
        values = self.samples.newest(self.metric, 1, now=self.now)
        if not values:
            raise self._insufficient(100.0, 0.0)
        return values[0]

    def call(self, method: str, arguments: Sequence[Value]) -> Value:
        """
        Call a method by its name.

        Raises:
            FaultError: There is no such method, it does not take these arguments, or too few
                samples are there.
        """
        match method, *arguments:
            case ("GetSample", float() as count):
                return self._last(count)
            case ("GetSample", Interval() | datetime(), *_):
                return self._sample(arguments)
            case ("GetSamplePercent", start):
                return self._window(start).percent
            case ("GetSamplePercent", start, end):
                return self._window(start, end).percent
            case ("GetSamplePeriod",):
                return Interval(self.samples.period.total_seconds())
            case ("Count",):
                return float(self.samples.count(self.metric, now=self.now))
            case ("HistoryBeginTime",):
                return self._begin()
            case _ if method in _USAGE:
                raise FaultError(f"Usage: {_USAGE[method]}")
            case _:
                raise FaultError(f"Undefined method: {method}")

    def _last(self, count: float) -> Vector:
        if not count.is_integer() or count < 1:
            raise FaultError(f"GetSample of {show(count)} samples")
        return self.samples.newest(self.metric, int(count), now=self.now)

    def _sample(self, arguments: Sequence[Value]) -> Vector:
        match arguments:
            case (start,):
                window, wanted = self._window(start), DEFAULT_PERCENT
            case (start, float() as percent):
                window, wanted = self._window(start), percent
            case (start, end):
                window, wanted = self._window(start, end), DEFAULT_PERCENT
            case (start, end, float() as percent):
                window, wanted = self._window(start, end), percent
            case _:
                raise FaultError(f"Usage: {_USAGE['GetSample']}")
        if window.percent < wanted:
            raise self._insufficient(wanted, window.percent)
        return window.values

    def _window(self, start: Value, end: Value = _NOW) -> Window:
        # Formulas write both (newer, older) and (older, newer): the window is the same.
        first, last = sorted((self._moment(start), self._moment(end)))
        return self.samples.window(self.metric, start=first, end=last, now=self.now)

    def _moment(self, value: Value) -> datetime:
        match value:
            case Interval():
                return later(self.now, Interval(-value.seconds))
            case datetime():
                return value
            case _:
                raise FaultError(f"timestamp or timeinterval expected, not {kind(value)}")

    def _begin(self) -> datetime:
        begin = self.samples.begin(self.metric, now=self.now)
        if begin is None:
            raise self._insufficient(100.0, 0.0)
        return begin

    def _insufficient(self, wanted: float, received: float) -> FaultError:
        return FaultError(
            f"Insufficient data from data set: {self.metric} "
            f"wanted {show(wanted)}%, received {int(received)}%",
            code=ErrorCode.INSUFFICIENT_DATA,
        )


_USAGE = {
    "GetSample": "GetSample(count), GetSample(start[, percent]), GetSample(start, end[, percent])",
    "GetSamplePercent": "GetSamplePercent(start[, end])",
    "GetSamplePeriod": "GetSamplePeriod()",
    "Count": "Count()",
    "HistoryBeginTime": "HistoryBeginTime()",
}
