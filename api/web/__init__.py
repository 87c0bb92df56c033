"""The HTML workplace: the same operations as everywhere, behind forms that need no script."""

import font_source_sans_pro
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.web.certificates import router as certificate_pages
from api.web.compare import router as compare_pages
from api.web.cycles import router as cycle_pages
from api.web.decisions import router as decision_pages
from api.web.deviations import router as deviation_pages
from api.web.digital_link import router as digital_link_pages
from api.web.documentation import FILES as DOCUMENTATION
from api.web.documentation import router as documentation_pages
from api.web.donors import router as donor_pages
from api.web.equipment import router as equipment_pages
from api.web.following import router as following_pages
from api.web.investigations import router as investigation_pages
from api.web.labels import router as label_pages
from api.web.laboratory import router as laboratory_pages
from api.web.lots import router as lot_pages
from api.web.materials import router as material_pages
from api.web.pages import FOLDER
from api.web.people import router as people_pages
from api.web.products import router as product_pages
from api.web.public import router as public_pages
from api.web.public_drawing import refusal_page
from api.web.public_log import router as log_pages
from api.web.public_verify import router as verify_pages
from api.web.recipe_editor import router as recipe_editor_pages
from api.web.recipes import router as recipe_pages
from api.web.runs import router as run_pages
from api.web.sampling import router as sampling_pages
from api.web.security import SecurityHeaders
from api.web.sign_in import router as sign_in_pages
from api.web.slow_tests import router as slow_test_pages
from api.web.specifications import router as specification_pages
from api.web.steps import router as step_pages

ROUTERS = (
    sign_in_pages,
    public_pages,
    compare_pages,
    digital_link_pages,
    following_pages,
    verify_pages,
    log_pages,
    sampling_pages,  # before the lots' too: samples are drawn by plan
    certificate_pages,  # before the lots', whose acts are named in the last part of an address
    label_pages,
    deviation_pages,
    decision_pages,
    lot_pages,
    product_pages,
    material_pages,  # after the lots', whose /materials/new is no lot number
    recipe_pages,
    recipe_editor_pages,
    equipment_pages,
    step_pages,
    cycle_pages,
    donor_pages,
    laboratory_pages,
    run_pages,
    slow_test_pages,
    investigation_pages,
    specification_pages,
    people_pages,
    documentation_pages,
)


def install(app: FastAPI) -> None:
    """Give the application its pages, their style, the pages of refusals, and the headers that guard them all."""
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.mount("/fonts", StaticFiles(directory=font_source_sans_pro.font_directory), name="fonts")
    app.mount("/docs/static", StaticFiles(directory=DOCUMENTATION), name="docs")
    app.state.problem_page = refusal_page
    app.add_middleware(SecurityHeaders)
