# What creditd adds to the build.
