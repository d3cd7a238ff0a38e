"""Values on the wire, and what requests are checked for."""

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.__main__ import read_options
from batch_emulator.dataplane.auth import sign, string_to_sign
from batch_emulator.dataplane.job_bodies import read_job
from batch_emulator.dataplane.query import Key, page
from batch_emulator.errors import ServiceError
from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from batch_emulator.runtime.blob_containers import AddressError, container_name
from batch_emulator.wire import (
    UNLIMITED,
    parse_duration,
    parse_http_date,
    print_duration,
    print_etag,
    print_http_date,
    print_time,
)

DURATIONS = [
    ("PT5M", timedelta(minutes=5), "PT5M"),
    ("PT05M00S", timedelta(minutes=5), "PT5M"),
    ("PT90M", timedelta(minutes=90), "PT1H30M"),
    ("P1D", timedelta(days=1), "P1D"),
    ("P1279DT12H30M5S", timedelta(days=1279, hours=12, minutes=30, seconds=5), None),
    ("P3Y6M4DT12H30M5S", timedelta(days=1279, hours=12, minutes=30, seconds=5), "P1279DT12H30M5S"),
    ("P1M", timedelta(days=30), "P30D"),
    ("PT0.5S", timedelta(seconds=0.5), "PT0.5S"),
    ("PT36H", timedelta(hours=36), "P1DT12H"),
    ("PT0S", timedelta(0), "PT0S"),
    ("P10675199DT2H48M5.4775807S", UNLIMITED, None),
]


@pytest.mark.parametrize(("text", "duration", "normal"), DURATIONS)
def test_durations(text: str, duration: timedelta, normal: str | None) -> None:
    """ISO 8601 in, the service's normal form out."""
    assert parse_duration(text) == duration
    assert print_duration(duration) == (normal or text)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "5M", "P1Y2D3M", "P1W", "-PT5M", "PT5X", "PT1.S", "P99999999D"]
)
def test_what_is_no_duration(text: str) -> None:
    """Weeks, signs, and anything cut short or out of order are refused."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=UNLIMITED))
def test_durations_come_back(duration: timedelta) -> None:
    """What is printed is read as the same duration."""
    assert parse_duration(print_duration(duration)) == duration


MOMENTS = st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as Hypothesis asks


@given(MOMENTS)
def test_times_of_headers_come_back(moment: datetime) -> None:
    """To the second, and in UTC also where the header names no zone."""
    printed = print_http_date(moment)
    assert parse_http_date(printed) == moment.replace(microsecond=0)
    assert parse_http_date(printed.removesuffix(" GMT")) == parse_http_date(printed)


@given(MOMENTS, MOMENTS)
def test_times_and_tags_order_as_moments_do(one: datetime, other: datetime) -> None:
    """A later moment has a greater text and a greater tag, equal ones have the same."""
    assert (print_time(one) < print_time(other)) == (one < other)
    assert (int(print_etag(one), 16) < int(print_etag(other), 16)) == (one < other)
    assert len(print_time(one)) == len("2026-01-02T03:04:05.1234567Z")


def test_a_tag_is_the_time_of_change_in_hex() -> None:
    """As recorded: 2024-04-18T19:28:52.7606919Z has the tag 0x8DC5FDDC7FFC487."""
    moment = datetime(2024, 4, 18, 19, 28, 52, 760691, UTC)
    assert abs(int(print_etag(moment), 16) - 0x8DC5FDDC7FFC487) < 10


def test_the_string_that_is_signed() -> None:
    """Every part stands in its place, what is absent leaves its line empty."""
    headers = {
        "Content-Length": "170",
        "Content-Type": "application/json; odata=minimalmetadata",
        "ocp-range": "bytes=0-1",
        "OCP-Date": "Mon, 23 Nov 2026 06:00:00 GMT",
        "client-request-id": "not signed",
    }
    target = "/jobs/a%2Fb?timeOut=30&%24select=id%2Cstate&api-version=2025-06-01&empty="
    assert string_to_sign("acct", "POST", target, headers).split("\n") == [
        "POST",
        "",
        "",
        "170",
        "",
        "application/json; odata=minimalmetadata",
        "",
        "",
        "",
        "",
        "",
        "",
        "ocp-date:Mon, 23 Nov 2026 06:00:00 GMT",
        "ocp-range:bytes=0-1",
        "/acct/jobs/a%2Fb",
        "$select:id,state",
        "api-version:2025-06-01",
        "timeOut:30",
    ]
    length = {"content-length": "0"}
    assert string_to_sign("a", "DELETE", "/jobs", length).split("\n")[3] == "0"
    assert string_to_sign("a", "DELETE", "/jobs", {}).split("\n")[3] == ""
    # printf text | openssl dgst -sha256 -hmac key -binary | base64
    assert sign("a2V5", "text") == "avqQRqlXnK0UOjhMG1ZLmiUNJ9b2pj+fIL86dZTJ4sY="


@given(st.sets(st.text("abcXYZ-_09", min_size=1, max_size=4)), st.integers(1, 5))
def test_pages_partition_a_list(names: set[str], size: int) -> None:
    """Whatever the size of a page, each item comes once and in the order of the ids."""
    unique = {name.lower(): name for name in names}
    query = {"maxresults": str(size)}
    seen: list[str] = []
    while True:
        part = page(unique.values(), query, Key[str](str))
        seen += [name.lower() for name in part.items]
        if part.next_query is None:
            break
        assert len(part.items) == size
        token = part.next_query.partition("$skiptoken=")[2].replace("%3D", "=")
        query = {"maxresults": str(size), "$skiptoken": token}
    assert seen == sorted(unique)


@pytest.mark.parametrize("token", ["ü", "a", "_w=="])
def test_tokens_that_are_refused(token: str) -> None:
    """What is no base64, or none of a name."""
    with pytest.raises(ServiceError, match="InvalidQueryParameterValue"):
        page([], {"$skiptoken": token}, Key(str))


@pytest.mark.parametrize("size", ["0", "-5", "1001", "many"])
def test_sizes_that_are_refused(size: str) -> None:
    """A page has 1 to 1000 items."""
    with pytest.raises(ServiceError, match="InvalidQueryParameterValue"):
        page([], {"maxresults": size}, Key(str))


def test_a_job_is_echoed_with_the_services_defaults() -> None:
    """As recorded for a job with a job manager task; its limits follow the job's."""
    body = {
        "id": "j",
        "poolInfo": {"poolId": "p"},
        "constraints": {"maxTaskRetryCount": 5},
        "jobManagerTask": {"id": "m", "commandLine": "x", "displayName": None},
    }
    endless = "P10675199DT2H48M5.4775807S"
    assert read_job(body) == {
        "id": "j",
        "priority": 0,
        "maxParallelTasks": -1,
        "usesTaskDependencies": False,
        "allowTaskPreemption": False,
        "constraints": {"maxWallClockTime": endless, "maxTaskRetryCount": 5},
        "jobManagerTask": {
            "id": "m",
            "commandLine": "x",
            "constraints": {
                "maxWallClockTime": endless,
                "retentionTime": "P7D",
                "maxTaskRetryCount": 5,
            },
            "requiredSlots": 1,
            "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
            "runExclusive": True,
            "allowLowPriorityNode": True,
            "killJobOnCompletion": True,
        },
        "poolInfo": {"poolId": "p"},
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
    }


ENDPOINTS = ("http://127.0.0.1:10000/account", "https://account.blob.core.windows.net")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_container_names(endpoint: str) -> None:
    """A container is known by its account's endpoint, with a path in it or without."""
    assert container_name(f"{endpoint}/outputs", f"{endpoint}/") == "outputs"
    assert container_name(f"{endpoint}/outputs/", endpoint) == "outputs"
    for other in (f"{endpoint}/a/b", endpoint, f"{endpoint}x/a", "http://127.0.0.1:1/account/a"):
        with pytest.raises(AddressError):
            container_name(other, endpoint)


GIVEN = ["--account", "a", "--root", "r"]
SECRETS = {KEY_VARIABLE: "a2V5", TOKEN_VARIABLE: "token", STORAGE_VARIABLE: "s"}


def test_options() -> None:
    """What is not given has a default; the pool runs at its real speed."""
    options = read_options(GIVEN, SECRETS)
    assert (options.port, options.pool_speed, options.applications) == (10100, 1.0, ())
    assert options.root == Path("r")
    assert not options.faults
    assert read_options([*GIVEN, "--faults"], SECRETS).faults
    assert options.signal_exit_code == "negative"
    assert (
        read_options([*GIVEN, "--signal-exit-code", "shell"], SECRETS).signal_exit_code == "shell"
    )
    assert read_options([*GIVEN, "--pool-speed", "60", "--port", "7"], SECRETS).pool_speed == 60


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--key", "a2V5"), "argument --key: refused: every user of this machine can read"),
        (("--key=a2V5",), "use --key-file FILE or the variable AZURE_BATCH_EMULATOR_KEY"),
        (("--storage", "s"), "use the variable AZURE_BATCH_EMULATOR_STORAGE or --storage-file"),
        (("--key-file", "k"), "--key-file and AZURE_BATCH_EMULATOR_KEY are both given"),
        (("--storage-file", "/no/such"), "No such file or directory: '/no/such'"),
        (("--port", "99999"), "argument --port: not a port, 0 to 65535: 99999"),
        (("--port", "-1"), "argument --port: "),
        (("--port", "http"), "argument --port: "),
        (("--pool-speed", "0"), "argument --pool-speed: not a positive number"),
        (("--pool-speed", "nan"), "argument --pool-speed: not a positive number"),
        (("--clock", "1e300"), "a positive number up to 100,000, not 1e300"),
        (("--clock", "100001"), "a positive number up to 100,000, not 100001"),
        (("--application", "name=1"), "not of the form NAME=VERSION=ZIP: name=1"),
        (("--application", "name=1=/no/such.zip"), "not a zip file: /no/such.zip"),
        (("--application", "a=1={zip}", "--application", "A=1={zip}"), "application a, version 1"),
        (("--application", "a=1={zip}", "--application", "A=2={zip}"), "two spellings: A, a"),
        (("--unknown",), "unrecognized arguments: --unknown"),
    ],
)
def test_bad_options(
    arguments: tuple[str, ...],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A bad argument is named in one line, and the exit code is 2."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    words = [word.format(zip=tmp_path / "a.zip") for word in arguments]
    with pytest.raises(SystemExit) as ended:
        read_options([*GIVEN, *words], SECRETS)
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert complaint in shown
    assert shown.count("\n") == 1
