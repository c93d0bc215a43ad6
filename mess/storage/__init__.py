"""What lies on disk: paths, atomic files, manifests, the store of all artifacts."""
