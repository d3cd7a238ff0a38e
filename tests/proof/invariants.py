"""
The invariants of the product, judged at every single write of the ledger and creation of a job.

What is written at that moment is what a tick that dies would leave behind.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.ids import HOUSEKEEPING, ScheduleId, parse_run_id, removed_blob
from tests.proof.model import Model
from tests.proof.stage import Stage
from tests.proof.truth import Truth

_ORDER: Final = ("claimed", "submitted", "ended")
_TERMINATED: Final = {"stopped", "replaced", "ended_in_batch"}
_JUDGED: Final = ("submit.json", "open/", "answers/", "runs/")
_KEPT: Final = timedelta(days=7)
_WINDOW: Final = timedelta(days=1)


@dataclass(slots=True)
class Invariants:
    """
    Watches a stage.

    Attributes:
        stage: What is watched.
        model: What the schedules should do.
        broken: What was seen that must not be, in words.
    """

    stage: Stage
    model: Model
    broken: list[str] = field(default_factory=list)

    async def __call__(self, name: str, old: bytes | None) -> None:
        """Judge one write or removal of a blob, or the creation of a job."""
        if name.startswith("jobs/"):
            await self._created(name.removeprefix("jobs/"))
        elif name.startswith("deleted/"):
            self._deleted(name.removeprefix("deleted/"))
        if not name.startswith(_JUDGED):
            return  # results and summaries are derived, and may be anything at any time
        data = self.stage.blobs.get(name)
        before, now = (json.loads(one) if one else None for one in (old, data))
        if name == "submit.json":
            assert now is not None, "nobody removes it"
            self._watermarks(before or {"schedules": {}, "document": ""}, now)
        elif name == HOUSEKEEPING:
            return
        elif name.startswith("open/request/"):
            self._request(name, removed=now is None)
        elif name.startswith("open/"):
            self._opened(before, now)
        elif name.startswith("answers/"):
            self._must(before is None, f"{name} was answered twice")
        elif name.startswith("runs/"):
            await self._final(name, before, now)

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(otherwise)

    async def _created(self, job: str) -> None:
        """One job for each attempt, after the one before has ended, and beside no other."""
        self._must(self.stage.created[job] == 1, f"job {job} was created once more")
        record = self._open(job)
        self._must(record is not None, f"job {job} has no open record")
        if record is None:
            return
        final = f"/{record['run_id']}.json"
        over = record["replaces"] is None and any(name.endswith(final) for name in self._finals())
        self._must(not over, f"job {job} was created for a run that is final")
        attempts = [one["job_id"] for one in record["attempts"]]
        self._must(job == attempts[-1], f"job {job} is not the attempt in hand of its run")
        active = {id_ for id_, state in (await self.stage.jobs()).items() if state != "completed"}
        earlier = active & set(attempts) - {job}
        self._must(not earlier, f"job {job} was created while {earlier} had not ended")
        for other in active - {job}:
            beside = self._open(other)
            if beside and beside["schedule"] == record["schedule"]:
                alone = _counts(record) and _counts(beside)
                self._must(not alone, f"job {job} was created beside {other}")

    def _deleted(self, job: str) -> None:
        """See that only the job of a final record goes, and only a week after its end."""
        finals = [json.loads(self.stage.blobs[name]) for name in self._finals()]
        ended = [a for one in finals for a in one["attempts"] if a["job_id"] == job]
        self._must(bool(ended), f"job {job} was deleted, and no final record holds it")
        for attempt in ended:
            at = _instant(attempt["finished"]) if attempt["finished"] else self.stage.clock.now
            old = self.stage.clock.now - at >= _KEPT
            self._must(old, f"job {job} was deleted, and ended at {at}")

    def _open(self, job: str) -> dict[str, Any] | None:
        run = job if parse_run_id(job) else job.rpartition("-r")[0]
        data = self.stage.blobs.get(f"open/{run}.json")
        return json.loads(data) if data else None

    def _watermarks(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """They never move back, and never past an undecided occurrence."""
        old = {name: _instant(one["decided_until"]) for name, one in before["schedules"].items()}
        if now["document"] not in {before["document"], "missing"}:
            self.model.take_over(now["document"], old)
        for name, moment in old.items():
            kept = name in now["schedules"] or removed_blob(ScheduleId(name)) in self.stage.blobs
            self._must(kept, f"schedule {name} was forgotten")
            there = now["schedules"].get(name, before["schedules"][name])
            later = _instant(there["decided_until"]) >= moment
            self._must(later, f"the watermark of {name} moved back")
            known = before["schedules"][name]["timings"]
            fresh = [one for one in there.get("timings", []) if one not in known]
            back = any(_instant(one["since"]) < moment for one in fresh)
            self._must(not back, f"a timing of {name} reaches back")
        self.decided(now)
        for one in now["plan"]:
            if one["kind"] == "scheduled":
                self._paused(one, now["schedules"][one["schedule"]]["pauses"])

    def _paused(self, planned: Mapping[str, Any], pauses: Iterable[Mapping[str, Any]]) -> None:
        """See that nothing is submitted for a time in a pause, and nothing else is left for one."""
        run, nominal = planned["run_id"], _instant(planned["nominal"])
        paused = self.model.is_paused(planned["schedule"], nominal) or any(
            _instant(one["since"]) < nominal
            and (not one["until"] or nominal < _instant(one["until"]))
            for one in pauses
        )
        decision = planned["decision"]
        self._must(not (paused and decision["action"] == "submit"), f"{run} was due in a pause")
        self._must(paused or decision["reason"] != "paused", f"{run} was due in no pause")

    def decided(self, state: Mapping[str, Any]) -> None:
        """Every occurrence up to the watermark has one record, or lies in one range; no other."""
        planned = {one["run_id"]: one for one in state["plan"]}
        told = self._told(planned)
        for name, one in state["schedules"].items():
            until = _instant(one["decided_until"])
            due = {
                f"{name}-{nominal:%Y%m%dT%H%M%SZ}"
                for nominal in self.model.occurrences(name, until)
            }
            mine = Counter({run: n for run, n in told.items() if _schedule(run) == name})
            self._must(due <= mine.keys(), f"not decided: {sorted(due - mine.keys())[:5]}")
            self._must(mine.keys() <= due, f"never due: {sorted(mine.keys() - due)[:5]}")
            twice = [run for run, n in mine.items() if n > 1]
            self._must(not twice, f"decided twice: {twice[:5]}")

    def _told(self, planned: Mapping[str, Any]) -> Counter[str]:
        """Count the records of each occurrence: open, final or planned, each run id once."""
        single = {run for run, one in planned.items() if not one["range"]}
        ranges: dict[str, Mapping[str, Any]] = {
            f"{run}+": one for run, one in planned.items() if one["range"]
        }
        for name, data in self.stage.blobs.items():
            if name.startswith("open/request/") or not name.startswith(("open/", "runs/")):
                continue
            run = name.rpartition("/")[2].removesuffix(".json")
            if "+" in run:
                one = json.loads(data)
                ranges[f"{one['run_id']}+"] = one
            elif parse_run_id(run) is not None:
                single.add(run)
        told = Counter(run for run in single if not _is_trigger(run))
        if ranges:
            # A backfill gives an occurrence a record of its own, which overrides the range.
            own = self._backfilled(planned)
            told.update(r for one in ranges.values() for r in self._within(one) if r not in own)
        return told

    def _backfilled(self, planned: Mapping[str, Mapping[str, Any]]) -> set[str]:
        names = (n for n in self.stage.blobs if n.startswith(("open/", "runs/")))
        others = ("open/request/", HOUSEKEEPING)
        texts = (self.stage.blobs[n] for n in names if not n.startswith(others))
        records = [*(json.loads(text) for text in texts), *planned.values()]
        return {one["run_id"] for one in records if one["kind"] == "backfilled"}

    def _within(self, record: Mapping[str, Any]) -> Iterator[str]:
        first, last = _instant(record["range"]["first"]), _instant(record["range"]["last"])
        for nominal in self.model.occurrences(record["schedule"], last):
            if nominal >= first:
                yield f"{record['schedule']}-{nominal:%Y%m%dT%H%M%SZ}"

    def _request(self, name: str, *, removed: bool) -> None:
        answer = name.replace("open/request/", "answers/")
        self._must(not removed or answer in self.stage.blobs, f"{name} went without an answer")

    def _opened(self, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> None:
        """See that an attempt goes forward, and no run is closed without its final record."""
        if now is None:
            assert before is not None
            there = any(name.endswith(f"/{before['run_id']}.json") for name in self._finals())
            self._must(there, f"run {before['run_id']} was closed without a final record")
            return
        jobs = [one["job_id"] for one in now["attempts"]]
        self._must(len(set(jobs)) == len(jobs), f"two attempts of {now['run_id']} share a job")
        if before is not None:
            old, new = before["attempts"][-1], now["attempts"][-1]
            forward = (old["number"], _ORDER.index(old["state"])) <= (
                new["number"],
                _ORDER.index(new["state"]),
            )
            self._must(forward, f"run {now['run_id']} went back")
            next_ = new["number"] > old["number"]
            ended = not next_ or (old["state"] == "ended" and new["number"] == old["number"] + 1)
            self._must(ended, f"run {now['run_id']} was tried again before it had ended")
            stop = before["stop"]
            over = stop and (not next_ or stop["cause"] != "start_timeout")
            self._must(not over or now["stop"], f"the stop of {now['run_id']} was forgotten")
            unsaid = new["state"] == "submitted" and not self.stage.created[new["job_id"]]
            self._must(not unsaid, f"job {new['job_id']} is said to be there, and never was")
        else:
            claimed = now["attempts"][-1]["state"] == "claimed"
            self._must(claimed, f"run {now['run_id']} came back after its end")

    def _finals(self) -> Iterator[str]:
        return (name for name in self.stage.blobs if name.startswith("runs/"))

    async def _final(
        self, name: str, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None
    ) -> None:
        """See that a final record stays, vouches for its outputs, and has no active job."""
        if now is None:
            self.broken.append(f"{name} was removed")
            return
        if before is not None:
            self._must(now["replaces"] is not None, f"{name} was written twice")
            self._must(len(now["history"]) > len(before["history"]), f"{name} lost its history")
        there = self._open(now["run_id"])
        if now["decision"]["action"] != "submit":
            self._must(there is None, f"{name}: it was claimed before")
            return
        same = there is not None and there["attempts"] == now["attempts"]
        self._must(same, f"{name} is not what its open record says")
        self._must(now["outcome"] is not None, f"{name}: it has not ended")
        truth = await Truth.of(self.stage, now)
        self.broken += [f"{name}: {what}" for what in truth.broken_by(now)]
        self._must(now["reason"] != "rejected", f"{name}: nothing is ever rejected here")
        if now["outcome"] == "terminated":
            self._must(now["reason"] in _TERMINATED, f"{name}: {now['reason']} ends no run")
        last = now["attempts"][-1]
        if now["reason"] == "blocked" and last["number"] == 1:
            since = _instant(last["ready"] or last["not_before"] or last["claimed"])
            tried = _instant(now["stop"]["at"]) - since
            self._must(tried > _WINDOW, f"{name} was tried for {tried} only")
        jobs = await self.stage.jobs()
        for one in now["attempts"]:
            state = jobs.get(one["job_id"], "gone")
            self._must(state in {"completed", "gone"}, f"{name} is final, its job is {state}")
            never = one["submitted"] is None
            created = self.stage.created[one["job_id"]]
            self._must(not never or not created, f"{name} knows nothing of its job")
            self._must(never or created > 0, f"{name} tells of a job that never was")


def _counts(record: Mapping[str, Any]) -> bool:
    """Whether a run may not be beside another one of its schedule."""
    free = record["forced"] or record["kind"] == "backfilled" or record["task"]["allow"]
    return not free


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _schedule(run: str) -> str | None:
    parsed = parse_run_id(run)
    return parsed[0] if parsed else None


def _is_trigger(run: str) -> bool:
    parsed = parse_run_id(run)
    return parsed is not None and parsed[1] is None
