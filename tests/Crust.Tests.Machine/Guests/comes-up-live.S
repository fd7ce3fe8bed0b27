# A live system: it comes up, and nobody starts an installer.
        .include "common.inc"
        begin
        line    "stub: installer started"
        say     "live login: "
        idle
