"""Run first by Python in each process below the tests: an emulator judges its replies there as well."""

import os
import sys
from pathlib import Path

if "JUDGED_REPLIES_FILE" in os.environ and "batch_emulator" in sys.orig_argv:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from tests.support.judged_replies import judge_every_emulator

    judge_every_emulator()
