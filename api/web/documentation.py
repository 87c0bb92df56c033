"""The API described and tried out in a browser, from files of this machine: no other host is asked for anything."""

import re
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from api.web.security import hash_source

router = APIRouter(include_in_schema=False)

FILES = Path(fastapi_offline.__file__).parent / "static"

_PAGE = bytes(
    get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Exolotl: the JSON API",
        swagger_js_url="/docs/static/swagger-ui-bundle.js",
        swagger_css_url="/docs/static/swagger-ui.css",
        swagger_favicon_url="/static/mark.svg",
        swagger_ui_parameters={"validatorUrl": None},
    ).body
).decode()

#: Only the script that starts the page, by its digest, and those of this site; what it asks is asked of this site alone.
POLICY = (
    f"default-src 'none'; script-src 'self' {' '.join(map(hash_source, re.findall(r'<script>(.*?)</script>', _PAGE, re.DOTALL)))}; "
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@router.get("/docs")
def documentation() -> HTMLResponse:
    """Every command of the API, with what it takes and answers."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
