"""The endpoints that other services call.

In: a request's address or JSON body. Out: JSON in the shapes of the contract, or an error of `api.errors`.
Not done here: searching, authorising, and turning an error into a response.
"""

from .routes import router

__all__ = ["router"]
