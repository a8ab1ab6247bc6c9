"""The HTTP layer over real sockets, in front of a pipeline that records what it is asked."""
