"""Views that Great Expectations makes the report's pages with: its own, with our page around them."""

from __future__ import annotations

from typing import Any

from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

from ctr_platform.defs.data_quality.site import TEMPLATES


class PageView(DefaultJinjaPageView):
    """Any page. Our templates come before those of the same name."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), *filter(None, [self.env.loader])])
