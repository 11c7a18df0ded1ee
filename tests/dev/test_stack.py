from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys

from dev.processes import command_line

PRINT_DATABASE = (sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])")


def test_a_run_says_where_and_who_and_ctrl_c_ends_all_of_it(stack):
    process, words = stack.up(DEMO_PASSWORD="sesame-0")
    state = json.loads((stack.data_dir / "stack.json").read_text())

    assert f" http://127.0.0.1:{stack.port}\n" in words
    assert "owner@demo.test" in words
    assert "sesame-0" in words
    assert state["environment"]["DEBUG"] == "0"
    assert state["environment"]["SITE_URL"] == f"http://127.0.0.1:{stack.port}"
    for name in ("stack.json", "secret-key"):
        assert stat.S_IMODE((stack.data_dir / name).stat().st_mode) == 0o600

    code, words = stack.down(process)

    assert code == 0
    assert "Stopped" in words
    assert "Traceback" not in words
    assert stack.processes() == []
    assert not (stack.data_dir / "stack.json").exists()


def test_a_killed_run_leaves_nothing_running_and_the_next_one_has_its_data(stack, eventually):
    process, first = stack.up()
    stack.call("manage", "keep", "a paid clip")
    process.kill()
    process.wait()
    eventually(lambda: not stack.processes())

    process, second = stack.up()
    code, words = stack.call("manage", "kept")

    assert (code, words) == (0, "[('a paid clip',)]\n")
    assert _password(first) == _password(second)
    assert stack.down(process)[0] == 0


def test_orphans_of_a_killed_run_and_its_killed_honcho_are_ended_by_the_next_run(stack):
    process, _ = stack.up()
    honcho = [pid for pid in stack.marked() if "dev.procfile" in command_line(pid)]
    assert honcho
    process.send_signal(signal.SIGSTOP)  # so that it cannot tidy up
    for pid in honcho:
        os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()

    process, _ = stack.up()
    code, _ = stack.down(process)

    assert code == 0
    assert stack.processes() == []


def test_a_busy_port_is_a_sentence_and_nothing_is_started(stack):
    with socket.create_server(("127.0.0.1", stack.port)):
        code, words = stack.call("run")

    assert code == 1
    assert words == (
        f"Port {stack.port} is in use. "
        f"Stop what uses it, or start with PORT={stack.port + 1} make run.\n"
    )
    assert not (stack.data_dir / "postgres").exists()


def test_a_second_run_on_the_same_data_is_a_sentence_and_the_first_goes_on(stack):
    process, _ = stack.up()

    code, words = stack.call("run")

    assert code == 1
    assert words.startswith("A stack with its data in .data already runs")
    assert f"kill {process.pid}" in words
    assert len(words.splitlines()) == 1
    assert stack.down(process)[0] == 0


def test_a_command_joins_the_stack_that_runs_and_else_has_services_of_its_own(stack):
    code, alone = stack.call("exec", "--", *PRINT_DATABASE)
    assert code == 0
    assert stack.processes() == []

    process, _ = stack.up()
    state = json.loads((stack.data_dir / "stack.json").read_text())
    code, joined = stack.call("exec", "--", *PRINT_DATABASE)

    assert code == 0
    assert joined.strip() == state["environment"]["DATABASE_URL"]
    assert alone.startswith("postgresql://wevion:")
    assert alone != joined
    assert stack.down(process)[0] == 0


def test_a_command_gives_its_own_exit_status(stack):
    assert stack.call("exec", "--", "sh", "-c", "exit 7") == (7, "")
    assert stack.call("exec", "--", "no-such-program")[0] == 1


def test_nobody_with_a_shared_password_is_made_where_debug_is_off(stack):
    process, words = stack.up(DEBUG="0")

    assert "owner@demo.test" not in words
    assert "No demo people, because DEBUG=0." in words
    assert stack.down(process)[0] == 0


def test_a_failed_release_shows_its_words_and_stops_everything(stack):
    (stack.root / "Procfile").write_text("release: echo no such table; exit 3\nweb: sleep 9\n")

    code, words = stack.call("run")

    assert code == 1
    assert "no such table" in words
    assert "Traceback" not in words
    assert stack.processes() == []


def test_a_process_that_ends_by_itself_ends_the_run(stack):
    procfile = stack.root / "Procfile"
    procfile.write_text(
        procfile.read_text().replace(
            "worker: exec sleep 600", "worker: sleep 1; echo out of cheese; exit 4"
        )
    )
    process, _ = stack.up()
    words, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "out of cheese" in words
    assert "ended by itself" in words
    assert stack.processes() == []


def test_a_malformed_port_is_a_sentence(stack):
    assert stack.call("run", PORT="eighty") == (
        1,
        "PORT must be a number from 1 to 65535, not 'eighty'.\n",
    )


def test_values_come_from_the_env_file_and_the_environment_wins(stack):
    (stack.root / ".env").write_text("DEMO_PASSWORD=from-file\nLOG_LEVEL=ERROR\nDATABASE_URL=\n")
    code, words = stack.call(
        *("exec", "--", "sh", "-c", "echo $DEMO_PASSWORD $LOG_LEVEL ${DATABASE_URL%%:*}"),
        LOG_LEVEL="INFO",
    )

    assert (code, words) == (0, "from-file INFO postgresql\n")


def _password(words: str) -> str:
    (line,) = (line for line in words.splitlines() if "password" in line)
    return line.split()[-1]
