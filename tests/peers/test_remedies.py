"""azure-cli takes each remedy of `recur doctor --before-deploy` as it is printed."""

from pathlib import Path

from tests.peers.commands import in_page
from tests.peers.complaints import complaints
from tests.support.arm_stub import ArmStub, Subscription
from tests.support.before_deploy import CASES, before, found


async def test_every_remedy_is_accepted(peers: Path, quiet: dict[str, str], tmp_path: Path) -> None:
    """Whole, with the values of the subscription that is examined."""
    remedies: set[str] = set()
    async with ArmStub() as arm:
        for change, *_ in CASES.values():
            arm.subscription = Subscription()
            change(arm.subscription)
            findings = found(await before(arm, tmp_path))
            remedies |= {one["fix"] for one in findings.values() if one["fix"]}

    commands = tuple(
        command
        for remedy in sorted(remedies)
        for command in in_page("a remedy", f"```sh\n{remedy}\n```\n")
    )

    assert {one.words[0] for one in commands} == {"az"}
    assert all(one.whole for one in commands)
    assert len(commands) > len(remedies) > 10
    assert complaints(peers, quiet, commands) == []
