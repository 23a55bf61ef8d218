"""Who may ask, and how often: keys, rates, and the gate in the app that goes by them.

In: a request's headers and address. Out: the same request, let through, or a refusal of `api.errors`.
Not done here: encryption, which is the work of what stands before the service. Nothing is imported here,
so that `cari keys` does not wait for a web framework.
"""
