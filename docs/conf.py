"""How Sphinx builds these pages."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from airflow_css import __version__

# The reference is read from the code. Importing Airflow makes a home; let it be one that goes away again.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-css-docs-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)

project = "airflow-css"
author = "the airflow-css authors"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"airflow-css {release}"

# Every heading can be linked to, so that pages can point at each other's sections.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
# A signature stays one line of names; the types stand with the parameters.
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
