"""What programs ask over HTTP: the routes of `/api/v1`, and the guard of every server."""
