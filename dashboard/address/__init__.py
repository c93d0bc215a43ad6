"""What a page shows, as its address: a link reproduces it in any browser.

An address may come from anybody. What it asks for and does not exist is left out, and the page
says so.
"""
