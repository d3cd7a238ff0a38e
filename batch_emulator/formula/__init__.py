"""
The autoscale formula language of Azure Batch: pure, without clock, I/O or knowledge of the server.

From the service's documentation and the reports of its users: the types, the operators and the
types they join, the functions, the methods of samples, a sample every 30 s that is readable after a
minute, 70 % of the samples wanted unless the formula says otherwise, samples of value zero being
samples, no samples when autoscale is enabled, targets truncated, 8 KB and 100 statements, and the
wording of ``Undefined symbol`` and ``Insufficient data``. Functions that only third parties mention
(abs, ceil, floor, round) are undefined here, so that no formula comes to rely on them.

Assumed, because we found no documentation of it:

- Names are case-sensitive, and ``x`` and ``$x`` are two variables.
- Symbols are looked up when they are evaluated: an unknown one in a branch not taken goes unnoticed.
- ``timestamp.weekday`` counts from Sunday, which is 0; only Monday, 1, is documented.
- ``time("...")`` takes at most six decimals of a second; six are known to pass and nine to fail.
- A metric without a method is its last sample; without any sample that is insufficient data.
- ``GetSample(count)`` gives as many samples as there are, down to none; samples are oldest first.
- A window is open at its older end and closed at its newer one; it expects its length divided by
  the period, at least one sample, also before sampling began. Its ends come in either order.
- avg, max, min, range and std of nothing are errors; std of one value is 0; percentile is the
  nearest rank; ``TimeInterval_Year`` has 365 days.
- Division by zero, results beyond a double, the logarithm of nothing or less are errors, so that
  neither infinity nor NaN exists. A target of -1 or less is an error.
- A target alias is printed under its own name if the full name is not assigned.
- Variables print in the order of their code points, doubles as the shortest digits that give the
  same double, timeintervals as ``[d.]hh:mm:ss[.fffffff]``; after an error the results are the
  current targets.
- Bare words such as ``taskcompletion`` are values that any variable of the formula can hold.
- An operation takes vectors of at most 10,000 components together, an evaluation goes through at
  most 1,000,000 of them, and a timeinterval is at most 922,337,203,685 s long, which is .NET's limit.
- An empty formula or an empty statement is a syntax error, comparisons do not chain, numbers have
  no exponent, strings no escapes, and nothing nests more than 30 deep.
"""

from batch_emulator.formula.errors import EvaluationError, FormulaSyntaxError
from batch_emulator.formula.evaluation import Evaluation
from batch_emulator.formula.formula import Formula, parse_formula
from batch_emulator.formula.samples import Metric, SampleStore

__all__ = [
    "Evaluation",
    "EvaluationError",
    "Formula",
    "FormulaSyntaxError",
    "Metric",
    "SampleStore",
    "parse_formula",
]
