"""The people of the demo: invented, with passwords that everybody can read, and therefore of no use outside demo mode."""

from dataclasses import dataclass

from pydantic import SecretStr

from domain.people.operations import COMMAND_LINE, CreateUser, create_user
from domain.permissions import Role
from domain.work import Site, transaction


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody to sign in as."""

    username: str
    password: str
    name: str
    function: str
    roles: tuple[Role, ...]


CAST: tuple[DemoUser, ...] = (
    DemoUser("tom", "amber kettle seven", "Tom Becker", "Technician, Production", (Role.TECHNICIAN,)),
    DemoUser("petra", "quiet harbour nine", "Petra Lang", "Head of Production", (Role.PRODUCTION_HEAD,)),
    DemoUser("ben", "paper lantern four", "Ben Okafor", "Analyst, Quality Control", (Role.ANALYST,)),
    DemoUser("bea", "yellow ferry twelve", "Bea Lindholm", "Analyst, Quality Control", (Role.ANALYST,)),
    DemoUser("rhea", "copper meadow two", "Rhea Castellanos", "Head of Quality Control", (Role.REVIEWER,)),
    DemoUser("cleo", "silver compass six", "Cleo Marchetti", "Qualified Person, Quality Assurance", (Role.QA,)),
    DemoUser("quentin", "winter orchard ten", "Quentin Vogel", "Quality Assurance", (Role.QA,)),
    DemoUser("dov", "velvet granite one", "Dov Levin", "Auditor", (Role.AUDITOR,)),
    DemoUser("ada", "marble window five", "Ada Wirth", "Administrator", (Role.ADMINISTRATOR,)),
    DemoUser(
        "nanosight", "violet turbine three", "NanoSight NS300-2", "Instrument, Quality Control", (Role.INSTRUMENT,)
    ),
)


def furnish(site: Site) -> None:
    """Give everybody an account; made in demo mode, it works in demo mode alone."""
    for one in CAST:
        secret = SecretStr(one.password)
        command = CreateUser(
            username=one.username, name=one.name, function=one.function, password=secret, roles=one.roles
        )
        with transaction(site, COMMAND_LINE, "demo cast") as work:
            create_user(work, command)
