"""Raw files that results point to."""

from pydantic import Field
from sqlmodel import Session, select

from domain.documents import Document
from domain.errors import Invalid, NotFound, Reason
from domain.permissions import Permission
from domain.work import Command, View, Work, operation


class KeepFile(Command):
    """Keep a raw file."""

    name: str = Field(min_length=1, max_length=200)
    media_type: str = Field(max_length=100)
    data: bytes = Field(repr=False)


class DocumentView(View):
    """What is known of a file."""

    sha256: str
    name: str
    media_type: str
    size: int


@operation(Permission.IMPORT_RESULT)
def keep_file(work: Work, command: KeepFile) -> str:
    """Returns the SHA-256 by which results name the file."""
    if not command.data:
        raise Invalid(Reason("file-empty", "the file is empty", "file"))
    return work.keep_document(command.data, command.name, command.media_type)


def document_facts(session: Session, sha256: str) -> DocumentView:
    """What is known of a file. Raises NotFound."""
    if document := session.exec(select(Document).where(Document.sha256 == sha256)).first():
        return DocumentView.model_validate(document)
    raise NotFound(Reason("document-not-found", f"no file with SHA-256 {sha256[:64]} is stored", "sha256"))
