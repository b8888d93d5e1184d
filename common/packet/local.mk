# What common/packet adds to the build.
