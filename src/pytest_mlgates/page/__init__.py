"""``report.html``: one file, no request; what it says, how it is drawn, laid out and styled."""

from pytest_mlgates.page.render import page

__all__ = ["page"]
