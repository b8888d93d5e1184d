# What common/net adds to the build.
