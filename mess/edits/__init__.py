"""Edits: known changes of a recording, by degrees.

An *edit* changes one quality of a signal, such as its brightness. Its *dose* says how much. An edit
is a pure function: samples in, samples out. `registry` lists all edits.
"""
