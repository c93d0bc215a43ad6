"""The script that Streamlit runs for every browser, in a folder of its own.

Streamlit looks for a folder `pages` beside its script. It would run the files of that folder
without the script, and they only define functions.
"""
