"""Bodies of requests made from commands: what stands in the address is left out, everything else is the command's."""

from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from domain.work import Command


def body_of(command: type[Command], *in_address: str) -> type[BaseModel]:
    """The command as a body, without the fields that the address gives; it takes no stray fields."""
    fields: dict[str, Any] = {
        name: (info.annotation, info) for name, info in command.model_fields.items() if name not in in_address
    }
    model: type[BaseModel] = create_model(
        f"{command.__name__}Body", __config__=ConfigDict(frozen=True, extra="forbid"), **fields
    )
    model.__doc__ = command.__doc__
    return model


def command_from(command: type[Command], body: BaseModel, **in_address: Any) -> Command:
    """The command, from its body and what stood in the address."""
    given = {name: getattr(body, name) for name in type(body).model_fields}
    return command.model_validate(given | in_address)
