"""The pages for people: the search page, an article, what is similar, an error.

In: a request's address and what the browser says of its reader. Out: HTML that works without a script.
Not done here: searching, and judging what may be asked (`api.v1`).
"""

from .examples import Examples
from .failing import error_page, is_page
from .rendering import open_templates
from .routes import STATIC, router
from .static_files import WholeFiles

__all__ = ["STATIC", "Examples", "WholeFiles", "error_page", "is_page", "open_templates", "router"]
