namespace Crust.Machines;

/// <summary>A file that a guest finds in QEMU's fw_cfg device.</summary>
/// <param name="Name">Its name there: `opt/com.coreos/config`.</param>
/// <param name="Path">The file on the host.</param>
internal sealed record FirmwareFile(string Name, string Path);
