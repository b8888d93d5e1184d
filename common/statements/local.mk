# What common/statements adds to the build.
