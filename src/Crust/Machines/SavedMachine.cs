namespace Crust.Machines;

/// <summary>A machine that was stopped and saved: the state of its memory and devices, as QEMU's migration stream.</summary>
/// <param name="State">The file with it.</param>
/// <param name="MachineType">QEMU's versioned machine type, such as `pc-q35-7.2`: the state fits no other.</param>
/// <param name="Digest">The state's SHA-256, 64 hex digits: QEMU's stream has no checksum of its own.</param>
internal sealed record SavedMachine(string State, string MachineType, string Digest);
