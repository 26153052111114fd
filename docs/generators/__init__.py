"""Pages of the site that are made from code, results and notebooks: `docs/hooks.py` hands them to MkDocs."""
