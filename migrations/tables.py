"""Every table of the house, in one metadata (importing the modules fills it): what the migrations must lead to."""

from sqlmodel import SQLModel

import domain.audit
import domain.certificates.following
import domain.certificates.models
import domain.certificates.statements
import domain.deviations.models
import domain.disposition.models
import domain.documents
import domain.equipment.models
import domain.jobs
import domain.labels.models
import domain.laboratory.control_models
import domain.laboratory.models
import domain.laboratory.oos_models
import domain.lots.models
import domain.lots.numbers
import domain.manufacturing.cycle_logs
import domain.manufacturing.execution_models
import domain.manufacturing.models
import domain.manufacturing.recipe_models
import domain.once
import domain.people.models
import domain.people.training
import domain.signatures
from domain.store import entity_classes

metadata = SQLModel.metadata


def protected() -> dict[str, tuple[str, ...]]:
    """What each table refuses: rows are never deleted; those of append-only tables and the trail never changed."""
    trail = {domain.audit.entries.name: True, domain.audit.changes.name: True}
    tables = {name: cls.append_only for name, cls in entity_classes().items()} | trail
    return {name: ("UPDATE", "DELETE") if fixed else ("DELETE",) for name, fixed in sorted(tables.items())}
