using System.Collections.Immutable;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>What a system has that belongs to one machine alone: SSH host keys, and the machine's id. Each machine that starts from an image makes its own.</summary>
internal static class MachineIdentity
{
    private const string HostKey = "etc/ssh/ssh_host_";
    private const string MachineId = "etc/machine-id";

    // systemd(1): an empty file is filled on the first boot.
    private const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The host keys.</summary>
    public static IEnumerable<TreeEntry> KeysIn(FileTree system) => system.Entries.Where(entry => entry.Path.StartsWith(HostKey, StringComparison.Ordinal));

    /// <summary>The files that take the place of those with an id: empty ones.</summary>
    public static ImmutableArray<TreeEntry> EmptiedIn(FileTree system) =>
        system.Find(MachineId) is { Kind: EntryKind.File, Content.Length: > 0 } ? [TreeEntry.File(MachineId, TreeContent.Empty, ReadOnly)] : [];

    /// <summary>The system without both.</summary>
    public static FileTree Without(FileTree system) => system.Without(entry => entry.Path.StartsWith(HostKey, StringComparison.Ordinal)).With(EmptiedIn(system));
}
