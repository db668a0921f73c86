"""Obrador, the course shop of the demo: another organisation's site, which knows the association by its guides only.

It is a program as a partner would write it: OpenID sign-in by Authlib, single-use codes by the API. `connecting` is
the one part that is the association's side.
"""
