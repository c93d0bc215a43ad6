"""Files of other people's servers, over HTTP: downloads that go on where they stopped.

Nothing here is a dataset or a model: addresses come in, and whole files or parts of zip archives
come out. `mess.storage.downloads` holds what has arrived.
"""
