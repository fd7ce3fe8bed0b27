# Stops in the middle of its work and keeps the processor busy.
        .include "common.inc"
        begin
        line    "stub: installer started"
        line    "stub: spinning"
1:      jmp     1b
