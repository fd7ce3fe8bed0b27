# A medium that the firmware boots and that gives up at once, as one for another kind of machine does: the firmware tries the
# other drives, and ends at its own message. Nothing of it comes to the serial port.
        .include "common.inc"
        begin
        int     $0x18
        idle
        .ascii  "stub: installer started"
