using Crust.Trees;

namespace Crust.Providers;

/// <summary>
/// What a base has that belongs to one machine alone, and what hides it: SSH host keys (with the primes beside them, as CanvOS has it), and the machine's id. Each
/// machine that starts from the image makes its own.
/// </summary>
internal static class IdentityLayer
{
    private const string Ssh = "etc/ssh/";
    private const string HostKey = Ssh + "ssh_host_";
    private const string Moduli = Ssh + "moduli";
    private const string MachineId = "etc/machine-id";

    // systemd(1): an empty file is filled on the first boot.
    private const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The layer; an empty tree where the base has none of it.</summary>
    public static FileTree Of(FileTree below)
    {
        var hidden = below.Entries.Where(entry => entry.Path.StartsWith(HostKey, StringComparison.Ordinal) || entry.Path == Moduli).Select(entry =>
            TreeEntry.File($"{Ssh}.wh.{entry.Name}", TreeContent.Empty));
        var emptied = below.Find(MachineId) is { Kind: EntryKind.File, Content.Length: > 0 } ? [TreeEntry.File(MachineId, TreeContent.Empty, ReadOnly)]
            : Array.Empty<TreeEntry>();
        return PlacedLayer.Of(FileTree.Empty.With([.. hidden, .. emptied]), below);
    }
}
