"""A whole post office in one folder: a private PostgreSQL cluster, the services, stations. ./demo shows it to people, the
system tests work in it."""
