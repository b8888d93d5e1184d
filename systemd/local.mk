# What systemd adds to the build.
