using Crust.Layers;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>What hides a base's host keys (with the primes beside them, as CanvOS has it) and empties its id.</summary>
internal static class IdentityLayer
{
    private const string Ssh = "etc/ssh/";
    private const string Moduli = Ssh + "moduli";

    /// <summary>The layer; an empty tree where the base has none of it.</summary>
    public static FileTree Of(FileTree below)
    {
        var hidden = MachineIdentity.KeysIn(below).Concat(below.Entries.Where(entry => entry.Path == Moduli)).Select(entry => TreeEntry.File($"{Ssh}.wh.{entry.Name}", TreeContent.Empty));
        return PlacedLayer.Of(FileTree.Empty.With([.. hidden, .. MachineIdentity.EmptiedIn(below)]), below);
    }
}
