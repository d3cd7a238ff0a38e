"""Secrets that are typed into a command, and what only reminds of one."""

import pytest

from recur.lint.command_secrets import secret_in_command


@pytest.mark.parametrize(
    "command",
    [
        "PGPASSWORD=hunter2 psql -h db",
        "export PGPASSWORD='hunter2'; psql",
        "cd /tmp && MYSQL_PWD=hunter2 mysql < load.sql",
        "env API_KEY=abc python3 -m report",
        "set -e\nTOKEN=abc\npython3 -m report",
        "curl -u eva:hunter2 https://example.org",
        "curl --user 'eva:hunter 2' https://example.org",
        "curl --user=eva:hunter2 https://example.org",
        "curl -x proxy --proxy-user me:hunter2 https://example.org",
        "tool --password=hunter2",
        "tool --password hunter2 --verbose",
        'tool --db-password="hunter2"',
        "tool --client-secret hunter2",
        "tool --api-key=abc | sort",
        "azcopy --sas-token abc",
        "pwsh -Command Connect -AccountKey abc",
        "az storage blob list --account-key abc",
        "tool --connection-string 'AccountName=a;AccountKey=abc'",
        "tool 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc=='",
        "sshpass -p hunter2 sftp host",
        "/usr/bin/sshpass -phunter2 sftp host",
        "mysql -uroot -phunter2 sales",
        "sqlcmd -S db -U me -P hunter2",
        "psql postgres://me:hunter2@db/sales",
    ],
)
def test_a_secret_in_a_command_is_seen(command: str) -> None:
    """However the program takes it."""
    assert secret_in_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m report --user eva",
        'PGPASSWORD="$(cat /run/secret)" psql',
        "PGPASSWORD=$PASSWORD psql",
        "PGPASSWORD= psql",
        'curl -u "eva:$PASSWORD" https://example.org',
        "curl -u $LOGIN https://example.org",
        "curl -u : --negotiate https://example.org",
        "docker run --user 1000:1000 image",
        "docker run --user=www-data:www-data image",
        "podman run -u www-data:www-data image",
        'tool --password="$PASSWORD"',
        "tool --password-file /run/password",
        "tool --password --verbose",
        "tool --password-stdin < /run/password",
        "tool --token @token.txt",
        "tool --token /run/token",
        "tool --token=%TOKEN%",
        "tool --no-password",
        'tool "AccountName=a;AccountKey=$KEY"',
        "mysql -p sales",
        "mkdir -p out",
        "tar -P -xf a.tar",
        "# PASSWORD=hunter2\ntrue",
        "echo it's PASSWORD",
        "TOKEN=$(curl -s https://example.org/token) python3 -m report",
    ],
)
def test_what_holds_no_secret_is_left_alone(command: str) -> None:
    """A variable, a file, an option without a value."""
    assert not secret_in_command(command)
