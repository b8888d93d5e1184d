# What docs adds to the build. Documents printed from tables are committed; the lint says when they are stale, and
# "make docs-fresh" writes them again.
dist_doc_DATA += docs/protocol-reference.md docs/protocol.md docs/formats.md docs/architecture.md docs/security.md \
	docs/control.md docs/coverage.md docs/reliability.md docs/benchmarks.md README.md NEWS.md HACKING.md
docs-fresh: tests/tools/protocol_reference
	tests/tools/protocol_reference >$(srcdir)/docs/protocol-reference.md
.PHONY: docs-fresh
