# What common/crypto adds to the build.
