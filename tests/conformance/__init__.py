"""One model, many back-ends: each of them against the numpy modules, case by case.

``cases.py`` has the models and the situations they are put into, ``layers.py`` the back-ends: to add
one, write a line there. ``python tests/conformance/table.py`` prints what came out.
"""
