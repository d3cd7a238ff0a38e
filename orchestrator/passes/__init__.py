"""
One tick of each timer function: read, decide, act.

``submit_due`` decides what is due and creates its jobs; ``collect_finished`` ends runs, and it
alone does. An operator's ``adopt`` moves the ledger, ``apply_version`` changes its document.
"""

from orchestrator.passes.adopting import Adopted, adopt
from orchestrator.passes.applying import Application, apply_version
from orchestrator.passes.collect import collect_finished
from orchestrator.passes.services import Services, open_services
from orchestrator.passes.submit import submit_due

__all__ = [
    "Adopted",
    "Application",
    "Services",
    "adopt",
    "apply_version",
    "collect_finished",
    "open_services",
    "submit_due",
]
