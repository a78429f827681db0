"""The report's pages: Great Expectations' Data Docs, with everything a browser needs beside them.

Data Docs load their style sheets and scripts from six servers of the internet; without it they are bare, and
their index is empty. Here the same files come from the WebJars of the artifacts' group `report`.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from ctr_platform.artifacts.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE: Final = "site"
"""Folder of the pages, inside `QUALITY_DIR`."""

NEXT_SITE: Final = "site.next"
"""Where it is made."""

TEMPLATES: Final = Path(__file__).with_name("templates")

WEB: Final = "web"
"""Folder of the style sheets and scripts, inside the site."""

WEB_FILES: Final = (
    "css/bootstrap.min.css",
    "js/bootstrap.bundle.min.js",
    "jquery.min.js",
    "dist/bootstrap-table.min.css",
    "dist/bootstrap-table.min.js",
    "dist/extensions/filter-control/bootstrap-table-filter-control.min.js",
    "css/bootstrap-datepicker.min.css",
    "js/bootstrap-datepicker.min.js",
    "css/all.min.css",
    "webfonts/fa-solid-900.woff2",
    "webfonts/fa-regular-400.woff2",
)
"""In a WebJar, below `META-INF/resources/webjars/NAME/VERSION`."""

VIEWS: Final = "ctr_platform.defs.data_quality.views"


def site_config(folder: Path, limit: int) -> dict[str, Any]:
    """Great Expectations' configuration of the site: of at most `limit` results."""

    def section(store: str, **more: Any) -> dict[str, Any]:
        view = {"module_name": VIEWS, "class_name": "PageView"}
        return {"class_name": "DefaultSiteSectionBuilder", "source_store_name": store, "view": view, **more}

    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder / NEXT_SITE),
        },
        "site_section_builders": {
            "expectations": section(
                "expectations_store", renderer={"class_name": "ExpectationSuitePageRenderer"}
            ),
            "validations": section(
                "validation_results_store", renderer={"class_name": "ValidationResultsPageRenderer"}
            ),
        },
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "validation_results_limit": limit,
            "view": {"module_name": VIEWS, "class_name": "PageView"},
        },
    }


def page_of(result: Any) -> str:
    """Address of a result's page, relative to the site."""
    run = result.meta["run_id"]
    moment = run.run_time.strftime("%Y%m%dT%H%M%S.%fZ")
    return f"validations/{result.suite_name}/{run.run_name}/{moment}/{result.batch_id}.html"


def write_assets(site: Path) -> None:
    """Put the style sheets and scripts into the site.

    Raises:
        CtrError: they are not in the cache and cannot be fetched.
    """
    for jar in fetch(["report"])["report"]:
        with zipfile.ZipFile(jar) as archive:
            for name, target in _web_files(archive).items():
                target_file = site / WEB / target
                target_file.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, target_file.open("wb") as file:
                    shutil.copyfileobj(source, file)


def _web_files(archive: zipfile.ZipFile) -> Mapping[str, PurePosixPath]:
    """Names in a WebJar, and where they go: `css/`, `js/` or `webfonts/` of the site's folder."""
    chosen: dict[str, PurePosixPath] = {}
    for name in archive.namelist():
        path = PurePosixPath(name)
        # META-INF/resources/webjars/NAME/VERSION/...
        inside = "/".join(path.parts[5:])
        if inside in WEB_FILES:
            folder = {".css": "css", ".js": "js"}.get(path.suffix, "webfonts")
            chosen[name] = PurePosixPath(folder, path.name)
    return chosen
