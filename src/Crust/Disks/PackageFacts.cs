using System.Collections.Immutable;

namespace Crust.Disks;

/// <summary>A package that is installed in a system.</summary>
/// <param name="Kind">What manages it: `deb`, `apk` or `rpm`.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version, with the distribution's revision; of an rpm without its epoch.</param>
/// <param name="Arch">Its architecture, as its database writes it; empty if it has none.</param>
/// <param name="Source">The source package that it was built from; empty if it has the same name.</param>
/// <param name="Epoch">An rpm's epoch; empty if it has none. Others have it in their version.</param>
internal sealed record PackageFacts(string Kind, string Name, string Version, string Arch, string Source = "", string Epoch = "")
{
    /// <summary>In the order in which lists of packages are written.</summary>
    internal static ImmutableArray<PackageFacts> Sorted(IEnumerable<PackageFacts> packages) =>
    [
        .. packages.Distinct().OrderBy(package => package.Kind, StringComparer.Ordinal).ThenBy(package => package.Name, StringComparer.Ordinal)
            .ThenBy(package => package.Arch, StringComparer.Ordinal).ThenBy(package => package.Epoch, StringComparer.Ordinal).ThenBy(package => package.Version, StringComparer.Ordinal),
    ];
}
