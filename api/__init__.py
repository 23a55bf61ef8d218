"""The outside of Cari: HTTP, the search page, settings and the `cari` command's root.

Requests come in, JSON and HTML go out. Nothing here computes relevance: `search` does, and this package
owns only which opened index is in use, what may be asked, and how an answer or an error looks. Nothing is
imported here, so that `cari search` does not wait for a web framework; start from `api.app.create_app`.
"""
