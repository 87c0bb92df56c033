"""Write the schemas of the present versions: `python -m reports.schemas`."""

from reports.schemas import CURRENT, FOLDER, written

for name in CURRENT:
    (FOLDER / name).write_bytes(written(name))
